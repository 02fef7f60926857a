/** A configuration's text: every mistake is said with its line, its column and its field, all of them at once. */
import { formatProblems } from "@aegispay/gateways/configuration/ConfigurationText";
import { readConfiguration, secretsMissing } from "@aegispay/gateways/configuration/readConfiguration";
import { describe, expect, it, vi } from "@effect/vitest";
import { readFileSync } from "node:fs";
import { ConfigProvider, Effect, Result } from "effect";

const problemsOf = (text: string): ReadonlyArray<string> => {
  const read = readConfiguration(text);
  return Result.isSuccess(read) ? [] : formatProblems("gateways.yaml", read.failure).split("\n");
};

const good = `# our gateways
gateways:
  - name: simulator
    type: simulator
    url: http://127.0.0.1:8081
  - name: stripe-eu
    type: stripe
    secretKey: { env: STRIPE_KEY }
    webhookSecrets:
      - env: HOOK_ONE
      - env: HOOK_TWO
    returnUrl: https://shop.example/back
`;

describe("a configuration's text", () => {
  it("is read as YAML and as JSON, with tabs and a byte order mark", () => {
    const value = { gateways: [{ name: "simulator", type: "simulator", url: "http://127.0.0.1:8081" }] };
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, "\t"), `\ufeff${JSON.stringify(value)}`]) {
      expect(Result.getOrThrow(readConfiguration(text)).config).toEqual(value);
    }
    expect(Result.getOrThrow(readConfiguration(good)).config.gateways).toHaveLength(2);
  });

  it("with several mistakes is answered with all of them, in order, each at its own line", () => {
    const wrong = good
      .replace("url: http://127.0.0.1:8081", "url: localhost:8081\n    timeoutMilis: 5")
      .replace("env: HOOK_TWO", "env: whsec-123")
      .replace("    returnUrl: https://shop.example/back\n", "");
    expect(problemsOf(wrong)).toEqual([
      "gateways.yaml:5:5: gateways[0].url: the simulator's url is like http://127.0.0.1:8081",
      expect.stringMatching(
        /^gateways\.yaml:6:5: gateways\[0\]\.timeoutMilis: there is no such field; there are: name, type, url, account/,
      ),
      "gateways.yaml:7:5: gateways[1].returnUrl: is missing",
      "gateways.yaml:12:9: gateways[1].webhookSecrets[1].env: expected the name of an environment variable",
    ]);
  });

  it("that mistypes a field of one kind of gateway hears of that kind alone", () => {
    const problems = problemsOf(good.replace("secretKey: { env: STRIPE_KEY }", "secretkey: { env: STRIPE_KEY }"));
    expect(problems).toEqual([
      "gateways.yaml:6:5: gateways[1].secretKey: is missing",
      expect.stringContaining("gateways.yaml:8:5: gateways[1].secretkey: there is no such field"),
    ]);
    expect(problems.join("\n")).not.toContain("merchantAccount");
  });

  it("with an unknown type is told the types that there are, at that type", () => {
    expect(problemsOf(good.replace("type: stripe\n", "type: stripes\n"))).toEqual([
      'gateways.yaml:7:5: gateways[1].type: expected an entry whose "type" is one of "simulator", "stripe", "adyen", "razorpay"',
    ]);
  });

  it("with two gateways of one name names the second", () => {
    expect(problemsOf(good.replace("name: stripe-eu", "name: simulator"))).toEqual([
      'gateways.yaml:6:5: gateways[1].name: two gateways are named "simulator": give each a name of its own',
    ]);
  });

  it("that lets a failed fraud check through is refused with the reason", () => {
    const hooks = "hooks:\n  module: ./hooks.ts\n  fraudCheck:\n    onFailure: goOn\n";
    expect(problemsOf(good + hooks)).toEqual([
      'gateways.yaml:16:5: hooks.fraudCheck.onFailure: expected "refuse" or "park": a fraud check that fails never lets a payment through',
    ]);
    expect(problemsOf(`${good}hooks:\n  module: a.ts\n  fraudCheck: { timeLimitMillis: 4000 }\n`)).toEqual([
      expect.stringMatching(/^gateways\.yaml:13:1: hooks: the time limits .* are at most 5000 ms in all, not 7000$/),
    ]);
  });

  for (const [title, text, expected] of [
    ["nothing in it", "", /^gateways\.yaml:1:1: it is empty/],
    ["nothing but a comment", "# later\n", /it is empty/],
    ["a word only", "hello", /^gateways\.yaml:1:1: expected object/],
    ["no gateways", "gateways: []", /^gateways\.yaml:1:1: gateways\[0\]: is missing: the list has an entry at least/],
    ["broken syntax", 'gateways:\n  - name: "a\n', /^gateways\.yaml:3:1: Missing closing/],
    ["a key that comes twice", "gateways: []\ngateways: []\n", /^gateways\.yaml:2:1: Map keys must be unique/],
    ["two documents", "gateways: []\n---\ngateways: []\n", /^gateways\.yaml:2:1: .*multiple documents/],
    ["a tag of its own", "gateways: !!js/function 'x'\n", /^gateways\.yaml:1:11: Unresolved tag/],
    ["a section that is none", `${good}gatway: 1\n`, /^gateways\.yaml:13:1: gatway: there is no such field/],
    [
      "a secret in clear",
      good.replace(/secretKey:.*/, "secretKey: sk_1"),
      /secretKey: expected the name of the env.*: \{ env: NAME \}$/,
    ],
    ["a prototype", '{"__proto__": {}, "gateways": []}', /__proto__: there is no such field/],
    ["a megabyte and more", " ".repeat(10_000_000), /^gateways\.yaml:1:1: it has 10000000 characters/],
    ["brackets without end", "[".repeat(500_000), /^gateways\.yaml:1:\d+: it is nested too deeply/],
  ] as const) {
    it(`with ${title} is refused in one clear sentence`, () => {
      expect(problemsOf(text)[0]).toMatch(expected);
    });
  }

  it("whose aliases would fill the memory is refused at once", () => {
    const laughs = Array.from({ length: 9 }, (_, level) => {
      const before = level === 0 ? '"ha"' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array(9).fill(before).join(", ")}]`;
    });
    expect(problemsOf(laughs.join("\n"))).toEqual([
      "gateways.yaml:1:1: its aliases stand for too much: write out what they repeat",
    ]);
  });

  it("is never shown in what is said about it: a key that was pasted stays where it is", () => {
    const pasted = 'gateways:\n  - { name: a, type: stripe, secretKey: "sk_live_4242", returnUrl: "sk_live_4243" }\n';
    const broken = `${pasted}  oops "sk_live_4244\n`;
    expect(`${problemsOf(pasted).join("\n")}${problemsOf(broken).join("\n")}`).not.toContain("sk_live");
  });

  for (const [where, text] of [
    ["as a field", good.replace("returnUrl:", "sk_live_4242:")],
    ["without its field", good.replace("{ env: STRIPE_KEY }", "{ sk_live_4242 }")],
    ["as a field that is a map", `${good}? { sk_live_4242: 1 }\n: 2\n`],
    ["as a tag", good.replace("{ env: STRIPE_KEY }", "!sk_live_4242 x")],
    ["as an alias", good.replace("{ env: STRIPE_KEY }", "*sk_live_4242")],
    ["behind a bracket", good.replace("{ env: STRIPE_KEY }", "]sk_live_4242")],
    ["behind a bar", good.replace("{ env: STRIPE_KEY }", "|sk_live_4242")],
    ["as a directive", `%sk_live_4242\n---\n${good}`],
    ["as an escape", good.replace("{ env: STRIPE_KEY }", String.raw`"\xsk_live_4242"`)],
  ] as const) {
    it(`is never shown where a key was pasted ${where}, nor by the parser itself`, () => {
      const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      const problems = problemsOf(text);
      const warned = warnings.mock.calls.map(String);
      warnings.mockRestore();
      expect(problems).not.toEqual([]);
      expect([...problems, ...warned].join("\n")).not.toMatch(/sk_live|4242/);
    });
  }
});

describe("a configuration in the docs", () => {
  /** The indented blocks of a page that begin with the file's name, each without its indentation. */
  const blocksOf = (page: string): ReadonlyArray<string> =>
    [...readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8").matchAll(/(?:^ {4}.*\n)+/gm)]
      .map(([block]) => block.replaceAll(/^ {4}/gm, ""))
      .filter((block) => block.includes("# gateways.yaml"));

  it("is one that is read without a complaint", () => {
    const [whole] = blocksOf("configuration.md");
    expect(problemsOf(whole!)).toEqual([]);
    const [hooks] = blocksOf("hooks.md");
    expect(problemsOf(good + hooks!)).toEqual([]);
    expect(Result.getOrThrow(readConfiguration(good + hooks!)).config.hooks).toMatchObject({ concurrency: 64 });
  });
});

describe("a configuration whose secrets are not in the environment", () => {
  it.effect("is refused for each gateway, at the line that names the variable", () =>
    Effect.gen(function* () {
      const adyen = "  - { name: adyen, type: adyen, merchantAccount: Shop, apiKey: { env: ADYEN_KEY },\n";
      const more = `      hmacKeys: [{ env: HMAC }], returnUrl: "https://a.example/", url: "https://checkout-test.adyen.com" }\n`;
      const read = Result.getOrThrow(readConfiguration(good + adyen + more));
      const missing = (env: Record<string, string>) =>
        Effect.provideService(secretsMissing(read), ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env));
      expect(formatProblems("g.yaml", yield* missing({ STRIPE_KEY: "sk", HOOK_ONE: "a", ADYEN_KEY: "k" }))).toBe(
        [
          "g.yaml:11:9: gateways[1].webhookSecrets[1].env: gateway stripe-eu: webhookSecrets[1] names the environment variable HOOK_TWO, which is not set",
          "g.yaml:14:20: gateways[2].hmacKeys[0].env: gateway adyen: hmacKeys[0] names the environment variable HMAC, which is not set",
        ].join("\n"),
      );
      const all = { STRIPE_KEY: "sk", HOOK_ONE: "a", HOOK_TWO: "b", ADYEN_KEY: "k", HMAC: "00".repeat(32) };
      expect(yield* missing(all)).toEqual([]);
    }),
  );

  it.effect("does not show what may be the secret itself, in the place of the variable's name", () =>
    Effect.gen(function* () {
      const pasted = good.replace("STRIPE_KEY", "sk_live_4242abc").replace("HOOK_ONE", "whsec_4242ABC");
      const read = Result.getOrThrow(readConfiguration(pasted));
      const none = ConfigProvider.fromUnknown({});
      const missing = Effect.provideService(secretsMissing(read), ConfigProvider.ConfigProvider, none);
      const said = formatProblems("g.yaml", yield* missing);
      expect(said).toMatch(/^g\.yaml:8:18: gateways\[1\]\.secretKey\.env: .*environment variable, which is not set/);
      expect(said).not.toContain("4242");
    }),
  );
});
