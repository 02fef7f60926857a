/** What surrounds the calls to the gateways of a configuration, as `Gateways` says it. */
import type { Retry } from "@aegispay/core/payment/Given";
import type { Gateways } from "../Gateway.ts";
import { limitsOf, type LimitsConfig } from "./Limits.ts";
import { resilienceOf, retryOf, type ResilienceConfig } from "./Resilience.ts";

interface Entry {
  readonly name: string;
  readonly account?: string;
  readonly resilience?: ResilienceConfig;
}

/** Of a candidate: present where the entry turns one of these knobs. */
export const retryKnobsOf = ({ resilience }: Entry): { readonly retry?: Retry } => {
  const retry = retryOf(resilience);
  return retry === undefined ? {} : { retry };
};

/** `kindOf`: what holds for an entry's kind of gateway where the entry says nothing else. */
export const surroundingsOf = <Listed extends Entry>(
  { gateways, limits }: { readonly gateways: ReadonlyArray<Listed>; readonly limits?: typeof LimitsConfig.Type },
  kindOf: (entry: Listed) => { readonly resilience?: ResilienceConfig },
): Required<Pick<typeof Gateways.Service, "resilience" | "limits">> => {
  const around = gateways.map((entry) => ({
    entry,
    resilience: resilienceOf({ ...kindOf(entry).resilience, ...entry.resilience }),
  }));
  const found = limitsOf(limits);
  return {
    resilience: (name, account) =>
      around.find(({ entry }) => entry.name === name && (entry.account ?? "default") === account)?.resilience,
    limits: () => found,
  };
};
