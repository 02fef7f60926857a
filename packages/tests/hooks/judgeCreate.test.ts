/** What becomes of each answer of a hook, and of none: a payment that is judged badly never goes on by mistake. */
import type { Hooks } from "@aegispay/runtime/hooks/Hooks";
import type { HookRules } from "@aegispay/runtime/hooks/HooksInForce";
import { judgeCreate } from "@aegispay/runtime/hooks/judgeCreate";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { create, east, north } from "../core/paymentExamples.ts";

const patience = { timeLimitMillis: 50 };

const judge = (hooks: Hooks, rules: HookRules = {}, order = create()) => {
  const answers: Array<string> = [];
  const all = { validate: patience, enrich: patience, fraudCheck: patience, route: patience, ...rules };
  return Effect.map(
    judgeCreate({ hooks, rules: all }, order, [north, east], (hook, result) => void answers.push(`${hook} ${result}`)),
    (judgement) => ({ judgement, answers }),
  );
};

const types = (verdicts: unknown) =>
  (verdicts as { readonly events: ReadonlyArray<{ readonly type: string }> }).events.map(({ type }) => type);

const never = () => new Promise<never>(() => undefined);

/** Ways in which a hook may fail, as a hook of any kind would. */
const failures: ReadonlyArray<readonly [string, () => unknown, string]> = [
  [
    "throws",
    () => {
      throw new Error("down");
    },
    "it failed: Error: down",
  ],
  [
    "throws what cannot be shown",
    () => {
      throw Object.create(null);
    },
    "it failed",
  ],
  [
    "rejects with an error that fails when it is looked at",
    () =>
      Promise.reject(
        Object.defineProperty(new Error("down"), "message", {
          get: () => {
            throw new Error("trap");
          },
        }),
      ),
    "it failed",
  ],
  [
    "is a thenable that throws",
    () => ({
      then: () => {
        throw new Error("down");
      },
    }),
    "it failed",
  ],
  [
    "does not yield, and answers when it is too late",
    () => {
      for (const until = performance.now() + 80; performance.now() < until;);
      return { verdict: "allow" };
    },
    "it gave no answer within 50 ms",
  ],
  ["rejects", () => Promise.reject(new Error("down")), "it failed: Error: down"],
  ["fails as an Effect", () => Effect.fail("down"), "it failed: down"],
  ["dies as an Effect", () => Effect.die("down"), "it failed: down"],
  ["interrupts itself", () => Effect.interrupt, "it failed"],
  ["hangs", never, "it gave no answer within 50 ms"],
  [
    "hangs and cannot be interrupted",
    () => Effect.uninterruptible(Effect.promise(never)),
    "it gave no answer within 50 ms",
  ],
  ["answers nothing", () => undefined, "it answered nonsense"],
  ["answers yes", () => true, "it answered nonsense"],
  ["answers with an unknown verdict", () => ({ verdict: "fine" }), "it answered nonsense"],
  [
    "answers with a getter that throws",
    () => ({
      get verdict() {
        throw new Error("trap");
      },
    }),
    "it answered nonsense",
  ],
];

/** Nothing is an answer to where a payment goes, and any text is a label. */
const isAnswerToOthers = new Set(["answers nothing", "answers with an unknown verdict"]);

describe("a fraud check and a validation", () => {
  for (const hook of ["fraudCheck", "validate"] as const) {
    for (const [how, fail, reason] of failures) {
      it.live(`${hook}: one that ${how} parks, or refuses, and never lets through`, () =>
        Effect.gen(function* () {
          const hooks = { [hook]: fail } as Hooks;
          expect((yield* judge(hooks)).judgement).toMatchObject({
            _tag: "Parked",
            hook,
            reason: expect.stringContaining(reason) as string,
          });
          const strict = yield* judge(hooks, { [hook]: { ...patience, onFailure: "refuse" } });
          expect(strict.judgement).toMatchObject({
            _tag: "Judged",
            verdicts: {
              events: [{ type: "HookJudged", data: { hook, verdict: "refused" } }],
              refusal: { code: hook === "validate" ? "validation_refused" : "fraud_refused" },
            },
          });
        }),
      );
    }
  }

  it.effect("that refuse are the last that are asked", () =>
    Effect.gen(function* () {
      const validate = () => ({ verdict: "refuse", code: "no_gifts", message: "gift cards are not sold" }) as const;
      const first = yield* judge({ validate, fraudCheck: () => ({ verdict: "allow" }) });
      expect(first.answers).toEqual(["validate refuse"]);
      expect(first.judgement).toMatchObject({
        verdicts: {
          events: [{ data: { verdict: "refused", code: "no_gifts", reason: "gift cards are not sold" } }],
          refusal: { code: "validation_refused", message: "gift cards are not sold", declineCode: "no_gifts" },
        },
      });
      const second = yield* judge({
        fraudCheck: () => Promise.resolve({ verdict: "refuse" as const, reason: "velocity", score: 97 }),
        route: () => ["east"],
      });
      expect(second.answers).toEqual(["fraudCheck refuse"]);
      // Who is suspected is not told why.
      expect(second.judgement).toMatchObject({
        verdicts: {
          events: [{ data: { hook: "fraudCheck", verdict: "refused", reason: "velocity", score: 97 } }],
          refusal: { code: "fraud_refused", message: "the fraud check refused the payment" },
        },
      });
    }),
  );

  it.effect("that want a person to look park", () =>
    Effect.gen(function* () {
      const fraudCheck = () => Effect.succeed({ verdict: "review" as const, reason: "new device", score: 61 });
      expect((yield* judge({ fraudCheck })).judgement).toEqual({
        _tag: "Parked",
        hook: "fraudCheck",
        reason: "the fraud check wants people to look at it (score 61): new device",
      });
    }),
  );
});

describe("hooks that help", () => {
  for (const [how, fail] of failures.filter(([name]) => !isAnswerToOthers.has(name))) {
    it.live(`go on without enrichment and route if one ${how}, and the log says so`, () =>
      Effect.gen(function* () {
        const hooks = { enrich: fail, route: fail } as Hooks;
        const { judgement } = yield* judge(hooks);
        expect(judgement).toMatchObject({
          _tag: "Judged",
          verdicts: {
            events: [
              { type: "HookJudged", data: { hook: "enrich", verdict: "failed" } },
              { type: "HookJudged", data: { hook: "route", verdict: "failed" } },
            ],
          },
        });
        const rules = { enrich: { ...patience, onFailure: "park" } } as const;
        expect((yield* judge(hooks, rules)).judgement).toMatchObject({ _tag: "Parked", hook: "enrich" });
      }),
    );
  }

  it.effect("are asked in order, each with what the ones before have said, and never with the token", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = [];
      const { judgement } = yield* judge({
        validate: (question) => {
          seen.push(question);
          // What a hook does to its question is nobody's business but its own.
          (question.order.amount as { value: number }).value = 1;
          return { verdict: "accept" };
        },
        enrich: () => ({ tier: "gold" }),
        fraudCheck: ({ labels, order }) => {
          seen.push(labels, order.amount.value);
          return { verdict: "allow", score: 0 };
        },
        route: ({ labels, candidates }) => {
          seen.push(labels, candidates);
          return ["east"];
        },
      });
      expect(JSON.stringify(seen)).not.toContain("tok_visa");
      expect(seen.slice(1)).toEqual([
        { tier: "gold" },
        1999,
        { tier: "gold" },
        [
          { gateway: "north", account: "n1" },
          { gateway: "east", account: "e1" },
        ],
      ]);
      expect(judgement).toMatchObject({ verdicts: { route: ["east"] } });
      expect(types((judgement as { readonly verdicts: unknown }).verdicts)).toEqual([
        "HookJudged",
        "PaymentEnriched",
        "HookJudged",
        "HookJudged",
      ]);
    }),
  );

  it.effect("may use what stands beside them", () =>
    Effect.gen(function* () {
      const hooks = {
        tier: "gold",
        enrich() {
          return { tier: this.tier };
        },
      };
      expect((yield* judge(hooks)).judgement).toMatchObject({
        verdicts: { events: [{ type: "PaymentEnriched", data: { labels: { tier: "gold" } } }] },
      });
    }),
  );

  it.effect("keep no card number and no more than fits, wherever they put it", () =>
    Effect.gen(function* () {
      const card = "4242 4242 4242 4242";
      const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`label-${index}`, "x"]));
      for (const labels of [{ note: card }, { "a b": "x" }, { note: "" }, { note: "x".repeat(257) }, many]) {
        const { judgement } = yield* judge({ enrich: () => labels });
        expect(judgement).toMatchObject({ verdicts: { events: [{ data: { hook: "enrich", verdict: "failed" } }] } });
        expect(JSON.stringify(judgement)).not.toContain("4242");
      }
      const thrown = yield* judge({ fraudCheck: () => Promise.reject(new Error(`cannot check ${card}`)) });
      expect(JSON.stringify(thrown)).not.toContain("4242");
    }),
  );
});
