import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { type PlainClient, runningSimulator, scratchDirectory } from "./simulatorHarness.ts";

const waiting = (simulator: PlainClient, token = "tok_3ds", capture: "automatic" | "manual" = "automatic") =>
  Effect.map(simulator.charge("key-1", { token, capture }), ({ body }) => body.id as string);

describe("a charge that needs 3-D Secure", () => {
  it.live("sends the customer to a page of the simulator, and holds no money", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { status, body } = yield* simulator.charge("key-1", { token: "tok_3ds" });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: "requires_action",
        captured: 0,
        nextAction: { type: "redirect", url: `${simulator.url}/3ds/${body.id}` },
      });
      const page = yield* Effect.promise(() => fetch(body.nextAction.url));
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
      expect(yield* Effect.promise(() => page.text())).toContain('value="failed"');
      expect((yield* simulator.operate(body.id, "capture", "key-2")).status).toBe(400);
      expect((yield* simulator.operate(body.id, "refund", "key-3")).status).toBe(400);
    }),
  );

  for (const [token, capture, result, expected] of [
    ["tok_3ds", "automatic", "succeeded", { status: "succeeded", captured: 1999 }],
    ["tok_3ds", "manual", "succeeded", { status: "authorized", captured: 0 }],
    ["tok_3ds", "automatic", "failed", { status: "declined", error: { code: "authentication_failed" } }],
    [
      "tok_3ds_insufficient_funds",
      "manual",
      "succeeded",
      { status: "declined", error: { declineCode: "insufficient_funds" } },
    ],
  ] as const) {
    it.live(`with ${token} and ${capture} capture is ${expected.status} once authentication has ${result}`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const id = yield* waiting(simulator, token, capture);
        expect(yield* simulator.authenticate(id, result)).toMatchObject({ status: 200, body: expected });
        const again = yield* simulator.authenticate(id, result);
        expect(again.status).toBe(200);
        expect((yield* simulator.chargesByKey("key-1"))[0]).toEqual(again.body);
        expect(again.body.nextAction).toBe(undefined);
      }),
    );
  }

  it.live("is decided once: another result is refused, and changes nothing", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* waiting(simulator);
      yield* simulator.authenticate(id, "failed");
      expect((yield* simulator.authenticate(id, "succeeded")).status).toBe(409);
      expect((yield* simulator.ledger).charges).toMatchObject([{ status: "declined", captured: 0 }]);
    }),
  );

  it.live("that was abandoned is voided for good, whatever the customer does afterwards", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* waiting(simulator);
      expect((yield* simulator.operate(id, "void", "key-2")).body).toMatchObject({ status: "voided" });
      expect((yield* simulator.authenticate(id, "succeeded")).status).toBe(409);
      expect((yield* simulator.ledger).charges).toMatchObject([{ status: "voided", captured: 0, released: 1999 }]);
    }),
  );

  it.live("is either voided or authenticated when both come at once, never both", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ latencyMs: 3, latencyJitterMs: 3 });
      for (let n = 0; n < 20; n++) {
        const { body } = yield* simulator.charge(`key-${n}`, { token: "tok_3ds" });
        const [voided, authenticated] = yield* Effect.all(
          [
            simulator.operate(body.id, "void", `void-${n}`),
            Effect.delay(simulator.authenticate(body.id, "succeeded"), n % 7),
          ],
          { concurrency: 2 },
        );
        expect([voided.status, authenticated.status].toSorted()).toEqual(
          voided.status === 200 ? [200, 409] : [200, 400],
        );
      }
    }),
  );

  it.live("is completed on the page by a form too", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* waiting(simulator);
      const post = Effect.promise(() =>
        fetch(`${simulator.url}/3ds/${id}`, { method: "POST", body: new URLSearchParams({ result: "succeeded" }) }),
      );
      const page = yield* post;
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
      expect(yield* Effect.promise(() => page.text())).toContain("succeeded");
      const later = yield* Effect.promise(() => fetch(`${simulator.url}/3ds/${id}`));
      expect(yield* Effect.promise(() => later.text())).not.toContain("<form");
    }),
  );

  it.live("is completed by JSON that is called a form, as curl does", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* waiting(simulator);
      const form = { "content-type": "application/x-www-form-urlencoded" };
      const answer = yield* simulator.answered("POST", `/3ds/${id}`, { result: "succeeded" }, form);
      expect(answer).toMatchObject({ status: 200, body: { status: "succeeded" } });
    }),
  );

  it.live("is as it was after a restart, before and after the customer has come back", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const id = yield* Effect.scoped(Effect.flatMap(runningSimulator({ dataDir }), (one) => waiting(one)));
      yield* Effect.scoped(
        Effect.flatMap(runningSimulator({ dataDir }), (two) =>
          Effect.tap(two.get(`/v1/charges/${id}`), ({ body }) => {
            expect(body).toMatchObject({ status: "requires_action", nextAction: { url: `${two.url}/3ds/${id}` } });
            return two.authenticate(id, "succeeded");
          }),
        ),
      );
      const three = yield* runningSimulator({ dataDir });
      expect((yield* three.ledger).charges).toMatchObject([{ status: "succeeded", captured: 1999 }]);
    }),
  );

  it.live("that nobody knows, and a result that is none, are refused", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* waiting(simulator);
      expect((yield* simulator.authenticate("ch_none", "succeeded")).status).toBe(404);
      expect((yield* simulator.authenticate(id, "maybe")).status).toBe(400);
      expect((yield* Effect.promise(() => fetch(`${simulator.url}/3ds/ch_none`))).status).toBe(404);
      expect((yield* simulator.answered("DELETE", `/3ds/${id}`)).status).toBe(405);
    }),
  );
});
