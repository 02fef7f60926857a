/** The port of answers to whoever asked: best effort, on subjects that nobody but a node chooses. */
import type { CommandReply } from "@aegispay/core/payment/Reply";
import { Context } from "effect";

/** Who waits for an answer to a command. */
export interface Asker {
  readonly merchant: string;
  readonly token: string;
  readonly commandId: string;
}

export class Answers extends Context.Service<
  Answers,
  { readonly answer: (asker: Asker, reply: CommandReply) => void }
>()("@aegispay/runtime/Answers") {}
