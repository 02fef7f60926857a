/** `aegispay route`: which gateway a payment would go to, and why, by the configuration and what the cluster has seen. */
import { isToken } from "@aegispay/core/identity/Identity";
import { formatMoney } from "@aegispay/core/money/Money";
import { seedOf } from "@aegispay/core/routing/chance";
import { factsOf, type PaymentFacts } from "@aegispay/core/routing/PaymentFacts";
import { route as routePayment, type Question, type Routing } from "@aegispay/core/routing/route";
import { plainTable } from "@aegispay/core/routing/RoutingTable";
import { Effect, Option, Result } from "effect";
import { Command, Flag } from "effect/cli";
import { gatewaysOf, liveOf, viewCluster } from "../clusterView.ts";
import { checkRoot, jsonFlag, natsFlags } from "../connection.ts";
import { gatewayFlags, readGateways } from "../gatewaysFile.ts";
import { FailedQuietly, printJson, printProgress, printResult, Refused, WrongUsage } from "../output.ts";
import { readAmount } from "./payment/target.ts";

const text = (name: string, what: string) => Flag.String(name).pipe(Flag.withDescription(what));

/** Payments like this one that are routed to see how they would be shared out. */
const sampleSize = 1_000;

/** First choices of payments that differ in nothing but their id. */
const sharesOf = (routing: Routing, question: Question, merchant: string): Readonly<Record<string, number>> => {
  const shares: Record<string, number> = {};
  for (let number = 0; number < sampleSize; number++) {
    const seed = seedOf({ merchant, paymentId: `sample-${number}` }, 1);
    const routed = routePayment(routing, { ...question, seed });
    if (Result.isFailure(routed)) continue;
    const [{ gateway }] = routed.success.order;
    shares[gateway] = (shares[gateway] ?? 0) + 1;
  }
  return shares;
};

const describeFacts = ({ merchant, amount, country, network, preferred, labels }: PaymentFacts): string =>
  [
    `${merchant}, ${formatMoney(amount)}`,
    ...(country === undefined ? [] : [`customer in ${country}`]),
    ...(network === undefined ? [] : [`card of ${network}`]),
    ...(preferred === undefined ? [] : [`prefers ${preferred}`]),
    ...Object.entries(labels).map(([label, value]) => `${label}=${value}`),
  ].join(", ");

export const route = Command.make(
  "route",
  {
    ...natsFlags,
    ...gatewayFlags,
    merchant: text("merchant", "Merchant"),
    amount: text("amount", "Amount as people write it, 19.99"),
    currency: text("currency", "ISO 4217 code"),
    country: text("country", "Country of the customer, two letters").pipe(Flag.optional),
    network: text("network", "Network of the card: visa, mastercard").pipe(Flag.optional),
    gateway: text("gateway", "Gateway that the client prefers").pipe(Flag.optional),
    label: Flag.KeyValuePair("label").pipe(
      Flag.withDescription("Label that an enrich hook would give it, key=value; may be repeated"),
      Flag.withDefault({}),
    ),
    id: text("id", "Id of the payment: what chance decides is decided by it").pipe(Flag.withDefault("example")),
    explain: Flag.Boolean("explain").pipe(
      Flag.withDescription("Say why, and what speaks against the others"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const amount = yield* readAmount(flags.amount, flags.currency);
    const payment = { merchant: flags.merchant, paymentId: flags.id };
    if (!isToken(flags.merchant) || !isToken(flags.id)) {
      return yield* new WrongUsage({ message: "merchant and id have 1 to 128 characters of [A-Za-z0-9_-]" });
    }
    const { config } = yield* readGateways(flags.gateways, flags.simulatorUrl);
    const { candidates } = yield* gatewaysOf(config);
    const view = yield* viewCluster(flags);
    const routing = { table: config.routing ?? plainTable, live: yield* liveOf(view, candidates) };
    const create = {
      amount,
      method: { type: "card", token: "none" },
      ...(Option.isNone(flags.country) ? {} : { customer: { country: flags.country.value } }),
      ...(Option.isNone(flags.network) ? {} : { metadata: { cardNetwork: flags.network.value } }),
      ...(Option.isNone(flags.gateway) ? {} : { gateway: flags.gateway.value }),
    } as const;
    const facts = factsOf(payment, { create, labels: flags.label });
    const question = { candidates, facts, seed: seedOf(payment, 1), tried: [] };
    const routed = routePayment(routing, question);
    const cluster = view.away === undefined ? { connected: true } : { connected: false, why: view.away };
    if (Result.isFailure(routed)) {
      const { why, isPassing, skipped } = routed.failure;
      const error = { code: "NoGatewayAvailable", message: why, retryable: isPassing };
      if (flags.json) yield* printJson({ ok: false, error, facts, skipped, cluster });
      return yield* flags.json ? new FailedQuietly() : new Refused({ message: `NoGatewayAvailable: ${why}` });
    }
    const { strategy, rule, order, skipped } = routed.success;
    const shares = sharesOf(routing, question, flags.merchant);
    const named = order.map(({ gateway, account, why }) => ({ gateway, account, why }));
    if (flags.json) {
      const decided = { ok: true, strategy, ...(rule === undefined ? {} : { rule }), order: named, skipped };
      return yield* printJson({ ...decided, shares, facts, cluster });
    }
    if (!flags.explain) return yield* printResult(order.map(({ gateway }) => gateway).join("\n"));
    const lines = [
      describeFacts(facts),
      `${rule === undefined ? "no rule matches" : `rule ${rule}`}; strategy ${strategy}`,
      ...named.map(({ gateway, account, why }, place) => `  ${place + 1}. ${gateway} (${account}): ${why.join("; ")}`),
      ...skipped.map(({ gateway, account, why }) => `  not ${gateway} (${account}): ${why}`),
      ...(facts.preferred === undefined || candidates.some(({ gateway }) => gateway === facts.preferred)
        ? []
        : [`  not ${facts.preferred}: no gateway has this name, so the wish is passed over`]),
      `of ${sampleSize} such payments ${Object.entries(shares)
        .map(([gateway, count]) => `${count} go to ${gateway} first`)
        .join(", ")}`,
    ];
    yield* printResult(lines.join("\n"));
    if (view.away !== undefined) yield* printProgress(`by the configuration alone, without live figures: ${view.away}`);
  }),
).pipe(Command.withDescription("Say which gateway a payment would go to, and why"));
