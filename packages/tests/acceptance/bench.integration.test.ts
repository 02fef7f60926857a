/** `aegispay bench` from outside: what scripts read from it, and what it refuses before it measures anything. */
import { parts } from "@aegispay/runtime/bench/settings";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "aegispay-bench-test-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("aegispay bench", () => {
  it("measures on three servers, answers with one document and writes its page", async () => {
    const page = join(folder, "bench.html");
    const flags = ["--payments", "200", "--rounds", "1", "--sync", "default", "--gateway", "instant"];
    const few = ["--only", "saturation", "--replicas", "3", "--workers", "1", "--json", "--html", page];
    const run = await runCli(["bench", ...flags, ...few]);
    if (run.code !== 0) throw new Error(run.stderr);
    const report = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      machine: { cores: expect.any(Number), natsServer: expect.stringContaining("nats-server") },
      settings: { payments: 200, rounds: 1 },
      rounds: [{ sync: "default", gateway: "instant", replicas: 3, workers: 1 }],
    });
    const [round] = report["rounds"] as ReadonlyArray<Record<string, number>>;
    const figures = ["bare", "runtime", "ratio", "p50", "p99"].map((figure) => round![figure]!);
    expect(figures.filter((figure) => !(figure > 0))).toEqual([]);
    expect(round!["ratio"]).toBeCloseTo(round!["runtime"]! / round!["bare"]!, 1);
    expect(Object.keys(report)).not.toContain("growth");
    expect(readFileSync(page, "utf8")).toContain("<svg ");
  }, 120_000);

  it.each([
    [["--only", "everything"], "saturation"],
    [["--workers", "3"], "one of 1, 2, 4"],
    [["--replicas", "2"], "one of 1, 3"],
    [["--rounds", "0"], "a whole number from 1"],
    [["--growth", "10"], "a whole number from 1000 to 1000000"],
    [["--only", "mixed", "--gateway", "instant"], "--gateway simulator"],
    [["--html", "/no/such/folder/bench.html"], "--html"],
  ])("exits 2 for %j, and says what can be meant", async (args, hint) => {
    const refused = await runCli(["bench", ...args]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(hint);
    expect(refused.stdout).toBe("");
  });

  it("exits 1 where there is no nats-server to measure with", async () => {
    const refused = await runCli(["bench", "--nats-server", join(folder, "nothing")]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("AEGISPAY_NATS_SERVER");
  });

  it("says in its help how long each measurement takes", async () => {
    const help = await runCli(["bench", "--help"]);
    expect(help.code).toBe(0);
    const lines = help.stdout.split("\n").map((line) => line.trim());
    for (const part of parts) {
      const example = lines.indexOf(`aegispay bench --only ${part}`);
      expect(lines[example - 1]).toMatch(/^# .+ \(\d+ minutes?/);
    }
  });
});
