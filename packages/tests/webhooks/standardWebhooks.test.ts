/** Signatures as Standard Webhooks have them: what is no key signs nothing. */
import { simulatorAdapter } from "@aegispay/gateways/simulator/simulatorAdapter";
import { standardHeaders, verifyStandard } from "@aegispay/gateways/webhooks/standardWebhooks";
import { describe, expect, it } from "@effect/vitest";
import { ConfigProvider, Effect, Redacted } from "effect";

const body = "{}";
const nowMillis = 1_000_000;
const verdictOf = (secret: string, headers: Readonly<Record<string, string>>) =>
  verifyStandard([Redacted.make(secret)], { rawBody: Buffer.from(body), headers, nowMillis });

describe("a secret that is no key", () => {
  for (const secret of ["whsec_", "whsec_!", "whsec_\u00fc"]) {
    it.effect(`${JSON.stringify(secret)} signs nothing, and no gateway is made with it`, () =>
      Effect.gen(function* () {
        const headers = standardHeaders(Redacted.make("whsec_"), "evt_1", body, nowMillis);
        expect(verdictOf(secret, headers)).toEqual({ forged: "signed by no secret of ours" });
        const entry = {
          name: "s",
          type: "simulator",
          url: "http://127.0.0.1:1",
          webhookSecret: { env: "HOOK" },
        } as const;
        const environment = ConfigProvider.fromUnknown({ HOOK: secret });
        const made = Effect.scoped(simulatorAdapter.make(entry));
        const error = yield* Effect.flip(Effect.provideService(made, ConfigProvider.ConfigProvider, environment));
        expect(error.message).toContain("gateway s: webhookSecret");
      }),
    );
  }
});

describe("a signature", () => {
  const secret = "whsec_c2VjcmV0";
  const signed = standardHeaders(Redacted.make(secret), "evt_1", body, nowMillis);

  it("is one of several, some of which are none", () => {
    const several = { ...signed, "webhook-signature": `v2,AAAA v1, v1,AAAA ${signed["webhook-signature"]} ` };
    expect(verdictOf(secret, several)).toEqual({ id: "evt_1" });
  });

  it.each([-301_000, 301_000])("is of no use %i ms away from its time, in either direction", (awayMillis) => {
    const headers = standardHeaders(Redacted.make(secret), "evt_1", body, nowMillis + awayMillis);
    expect(verdictOf(secret, headers)).toHaveProperty("forged");
  });
});
