import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { capture, runForeground } from "./child.mjs";
import { ROOT } from "./toolFolder.mjs";

const BIN = join(ROOT, "node_modules", ".bin");
const CACHE = join(ROOT, "node_modules", ".cache");
const VITEST = join(ROOT, "packages", "tests", "node_modules", "vitest", "vitest.mjs");
const STEP_MILLIS = 5 * 60_000;

const STEPS = [
  { title: "types", command: "tsc", args: ["-p", "tsconfig.json"] },
  { title: "lint", command: "oxlint", args: ["--deny-warnings"] },
  { title: "format", command: "oxfmt", args: ["--check"] },
];

const print = (line) => process.stdout.write(`${line}\n`);

/**
 * Types, lint and format, and with `tests` (filters for vitest, maybe none) the tests: all of them, also after one has
 * failed. Says last what failed, with `tests` closing with "N passed, N failed". Answers the exit code.
 */
export const check = async ({ node, env, tests }) => {
  const failed = [];
  for (const step of STEPS) if (!(await passes(step, env))) failed.push(step.title);

  let counts = { passed: 0, failed: 0, skipped: 0 };
  if (tests !== undefined) {
    const outcome = await runTests(node, env, tests);
    if (outcome.interrupted) return outcome.exitCode;
    counts = outcome;
    if (counts.failed > 0) failed.push(outcome.reason);
    if (counts.skipped > 0) print(`${counts.skipped} tests were skipped`);
  }

  print(failed.length === 0 ? "all is well" : `failed: ${failed.join(", ")}`);
  if (tests !== undefined) {
    const failedSteps = failed.filter((title) => STEPS.some((step) => step.title === title)).length;
    print(`${counts.passed} passed, ${counts.failed + failedSteps} failed`);
  }
  return failed.length === 0 ? 0 : 1;
};

export const format = async ({ env }) => {
  const lint = await runForeground(join(BIN, "oxlint"), ["--fix"], { cwd: ROOT, env });
  const written = await runForeground(join(BIN, "oxfmt"), [], { cwd: ROOT, env });
  return lint.exitCode === 0 ? written.exitCode : lint.exitCode;
};

const passes = async ({ title, command, args }, env) => {
  const startedAt = Date.now();
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(1);
  try {
    await capture(join(BIN, command), args, { cwd: ROOT, env, timeoutMillis: STEP_MILLIS, lastLines: Infinity });
    print(`ok  ${title} (${seconds()} s)`);
    return true;
  } catch (error) {
    print(`FAILED  ${title} (${seconds()} s)\n${error.message}`);
    return false;
  }
};

const runTests = async (node, env, filters) => {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "tests-"));
  const report = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const { exitCode, interrupted } = await runForeground(node, [VITEST, "run", ...reporters, ...filters], {
      cwd: ROOT,
      env,
    });
    return { ...countsOf(report, exitCode), exitCode, interrupted };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A run that ended badly counts as a failure even if no single test did: a crash, an error outside tests, no tests. */
const countsOf = (report, exitCode) => {
  let read;
  try {
    read = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      reason: `tests (vitest ended with exit code ${exitCode} and no report)`,
    };
  }
  const { numPassedTests: passed, numFailedTests, numTotalTests, testResults } = read;
  // A file that cannot be loaded has no tests that could fail.
  const brokenFiles = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const skipped = numTotalTests - passed - numFailedTests;
  const failed = numFailedTests + brokenFiles.length;
  if (failed > 0) return { passed, failed, skipped, reason: "tests" };
  if (passed === 0) return { passed, failed: 1, skipped, reason: "tests (none ran)" };
  if (exitCode !== 0) return { passed, failed: 1, skipped, reason: `tests (vitest ended with exit code ${exitCode})` };
  return { passed, failed, skipped };
};
