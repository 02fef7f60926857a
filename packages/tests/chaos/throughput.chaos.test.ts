/**
 * A guard, not a benchmark: the runtime must not fall far behind the bare messages of a payment. Ratios only, since every
 * machine has its own absolute figures, and the middle of three rounds, since anything may disturb one of them.
 */
import { expect, it } from "vitest";
import { runCli } from "../support/cli.ts";

const ratioMin = 0.6;

it("a worker keeps at least six tenths of the rate of a payment's bare messages, every write on disk", async () => {
  const workload = ["--sync", "always", "--gateway", "instant", "--replicas", "1", "--workers", "1"];
  const run = await runCli([
    "bench",
    "--only",
    "saturation",
    ...workload,
    "--payments",
    "3000",
    "--rounds",
    "3",
    "--json",
  ]);
  if (run.code !== 0) throw new Error(run.stderr);
  const { medians } = JSON.parse(run.stdout) as { medians: ReadonlyArray<{ ratio: number }> };
  console.log(run.stderr);
  expect(medians).toHaveLength(1);
  expect(medians[0]!.ratio).toBeGreaterThanOrEqual(ratioMin);
});
