/**
 * docs/payment-states.md, drawn from the transitions that `evolve` knows. Run by itself it writes the page:
 * `node tools/run.mjs exec node packages/tests/core/stateDiagram.ts`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allTransitions, type Transition } from "./transitions.ts";

export const diagramPath = join(fileURLToPath(new URL(".", import.meta.url)), "../../../docs/payment-states.md");

const stateOf = (name: Transition["from"]): string => (name === "ABSENT" ? "[*]" : name);

/** "A --> B : X, Y", one line for each pair, in the order in which they are found. */
const arrows = (transitions: ReadonlyArray<Transition>): ReadonlyArray<string> => {
  const events = new Map<string, Set<string>>();
  for (const { from, event, to } of transitions) {
    const pair = `${stateOf(from)} --> ${stateOf(to)}`;
    events.set(pair, (events.get(pair) ?? new Set()).add(event.replace(/\.v\d+$/, "")));
  }
  return [...events].map(([pair, names]) => `    ${pair} : ${[...names].toSorted().join(", ")}`);
};

const moves = ({ from, to }: Transition): boolean => from !== to;
const isReview = ({ from, to }: Transition): boolean => from === "NEEDS_REVIEW" || to === "NEEDS_REVIEW";

const table = (transitions: ReadonlyArray<Transition>): ReadonlyArray<string> => {
  const events = new Map<string, Set<string>>();
  for (const { from, event } of transitions) {
    events.set(from, (events.get(from) ?? new Set()).add(event.replace(/\.v\d+$/, "")));
  }
  return [...events]
    .filter(([from]) => from !== "ABSENT")
    .map(([from, names]) => `| ${from} | ${[...names].toSorted().join(", ")} |`);
};

export const drawPage = (): string => {
  const transitions = allTransitions();
  const moving = transitions.filter(moves);
  return [
    "# The states of a payment",
    "",
    "Drawn from the code (`packages/core/src/payment/evolve.ts`) by `packages/tests/core/stateDiagram.ts`, and held against",
    "it by a test. Do not edit it by hand. INITIATED and AUTHENTICATED are passed through within one commit.",
    "",
    "```mermaid",
    "stateDiagram-v2",
    ...arrows(moving.filter((one) => !isReview(one))),
    "```",
    "",
    "## Into review, and out of it",
    "",
    "A review of a capture, a void or a refund stands before the state that the payment has but for that; once it is settled,",
    "by the gateway or by a person, the payment is again what it was, or what that made of it.",
    "",
    "```mermaid",
    "stateDiagram-v2",
    ...arrows(moving.filter(isReview)),
    "```",
    "",
    "## What happens without a change of state",
    "",
    "| state | events |",
    "|---|---|",
    ...table(transitions.filter((one) => !moves(one))),
    "",
  ].join("\n");
};

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(diagramPath, drawPage());
