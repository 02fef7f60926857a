/** Load on a deployment: clients that insist on an answer, each with one payment under way at a time. */
import type { Deployment } from "./deployment.ts";
import { createBody, insist, type PlainReply } from "./plainClient.ts";

const tokens = ["tok_visa", "tok_visa", "tok_lost_answer", "tok_reset", "tok_declined", "tok_visa"];

export interface Answered {
  readonly payment: string;
  readonly token: string;
  readonly reply: PlainReply;
}

/** Lanes of clients, each with one payment under way at a time, until told to stop. */
export const startLoad = (deployment: Deployment) => {
  const answered: Array<Answered> = [];
  let stopped = false;
  let index = 0;
  const lane = async () => {
    while (!stopped) {
      const payment = `load-${index++}`;
      const token = tokens[index % tokens.length]!;
      const reply = await insist(deployment.connection, { payment, body: createBody(token) });
      answered.push({ payment, token, reply });
    }
  };
  const lanes = Promise.all(Array.from({ length: 32 }, lane));
  return {
    answered,
    stop: async () => {
      stopped = true;
      await lanes;
    },
  };
};
