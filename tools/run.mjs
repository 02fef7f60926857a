/** `node tools/run.mjs <verb> ...args`: makes sure of the tools, then does what package.json's scripts stand for. */
import { delimiter, dirname, join } from "node:path";
import { check, format } from "./check.mjs";
import { runForeground } from "./child.mjs";
import { ensureTools } from "./setup.mjs";
import { ROOT, say } from "./toolFolder.mjs";

const MAIN = join(ROOT, "packages", "runtime", "src", "cli", "main.ts");

const runMain = async ({ node }, env, args) => (await runForeground(node, [MAIN, ...args], { env })).exitCode;

const verbs = {
  start: (tools, env, args) => runMain(tools, env, ["dev", ...args]),
  aegispay: (tools, env, args) => runMain(tools, env, args),
  test: (tools, env, args) => check({ node: tools.node, env, tests: args }),
  check: (tools, env) => check({ node: tools.node, env }),
  format: (tools, env) => format({ env }),
  exec: async (_tools, env, [command, ...args]) => (await runForeground(command, args, { env })).exitCode,
};

/** Children find our Node, pnpm and the workspace's commands first, and the nats-server that was found. */
const environment = ({ node, pnpm, natsServer }) => {
  const folders = [dirname(node), dirname(pnpm), join(ROOT, "node_modules", ".bin")];
  return {
    ...process.env,
    PATH: [...folders, process.env.PATH ?? ""].join(delimiter),
    AEGISPAY_NATS_SERVER: natsServer,
  };
};

const [verb = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(verbs, verb) || (verb === "exec" && args.length === 0)) {
  process.stderr.write(`usage: node tools/run.mjs start|aegispay|test|check|format [...args]\n`);
  process.stderr.write(`       node tools/run.mjs exec COMMAND [...args]\n`);
  process.exitCode = 2;
} else {
  try {
    // A developer who changes the dependencies needs pnpm before they are installed.
    const tools = await ensureTools({ dependencies: verb !== "exec" });
    process.exitCode = await verbs[verb](tools, environment(tools), args);
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
