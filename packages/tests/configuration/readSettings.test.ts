/** Settings from the environment: what no part of the runtime could work with is refused at start. */
import { readSettings } from "@aegispay/runtime/config/readSettings";
import { isWebhookTimer } from "@aegispay/runtime/timers/Timers";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";

describe("settings", () => {
  it.effect("name no more tries of a webhook than its timers can be told apart", () =>
    Effect.gen(function* () {
      const tries = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
      const read = (count: number) =>
        readSettings({ nodeId: "n", root: "payments" }, JSON.stringify({ webhookTriesAtMillis: tries(count) }));
      expect((yield* read(100)).webhookTriesAtMillis.every((_, tried) => isWebhookTimer(`webhook-${tried + 1}`))).toBe(
        true,
      );
      const { message } = yield* Effect.flip(read(1_000));
      expect(message).toContain("webhookTriesAtMillis");
    }),
  );
});
