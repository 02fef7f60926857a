import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Runs a command quietly and answers what it wrote to stdout. Rejects when it cannot start, fails or takes longer
 * than `timeoutMillis`; the error's message ends with the last lines the command wrote, as many as `lastLines`.
 * `onSpawn` gets the child's pid before anything else happens.
 */
export const capture = (command, args, { cwd, env, timeoutMillis, onSpawn, lastLines = 8 } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    if (child.pid !== undefined) onSpawn?.(child.pid);
    let stdout = "";
    let everything = "";
    let timedOut = false;
    const timer =
      timeoutMillis === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, timeoutMillis);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      everything += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => (everything += text));
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(error.code === "ENOENT" ? `${command}: not found` : `${command}: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(stdout);
      const said = everything.trim().split("\n").slice(-lastLines).join("\n");
      const how = timedOut
        ? `took longer than ${timeoutMillis / 1000} s`
        : `ended with ${signal ?? `exit code ${code}`}`;
      reject(new Error(`${command} ${how}${said === "" ? "" : `:\n${said}`}`));
    });
  });

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];
const SAME_KEYPRESS_MILLIS = 500;
const PARENT_CHECK_MILLIS = 500;

/**
 * Runs a command that owns the terminal, and answers `{ exitCode, interrupted }` once it has ended: its own exit code,
 * or 128 + the signal's number. `interrupted` says that we were told to stop meanwhile.
 *
 * Signals are handed on and never end this process first, so the child has all the time it needs to drain. A Ctrl-C
 * goes from the terminal to the child by itself, and npm sends its scripts one more: the child must see one, since a
 * second commonly means "stop at once".
 *
 * npm hands a SIGTERM to the shell between us, which dies of it and tells nobody: under npm the loss of our parent
 * counts as SIGTERM. Elsewhere it does not, a program may be left running on purpose.
 */
export const runForeground = (command, args, { cwd, env } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    let interrupted = false;
    const forwardedAt = new Map();
    const forward = (signal) => {
      interrupted = true;
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      if (Date.now() - (forwardedAt.get(signal) ?? -Infinity) < SAME_KEYPRESS_MILLIS) return;
      forwardedAt.set(signal, Date.now());
      child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const parent = process.ppid;
    const onParentCheck = () => {
      if (process.ppid === parent) return;
      clearInterval(parentCheck);
      forward("SIGTERM");
    };
    const parentCheck =
      process.env.npm_lifecycle_event === undefined ? undefined : setInterval(onParentCheck, PARENT_CHECK_MILLIS);
    const settle = () => {
      clearInterval(parentCheck);
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.once("error", (error) => {
      settle();
      reject(new Error(`${command}: ${error.code === "ENOENT" ? "not found" : error.message}`));
    });
    child.once("close", (code, signal) => {
      settle();
      resolve({ exitCode: code ?? 128 + (constants.signals[signal] ?? 0), interrupted });
    });
  });
