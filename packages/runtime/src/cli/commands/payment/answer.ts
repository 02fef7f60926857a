/** What became of a command: printed, and told by the exit code. */
import type { PaymentView } from "@aegispay/core/payment/PaymentView";
import type { CommandReply } from "@aegispay/core/payment/Reply";
import { Effect } from "effect";
import { FailedQuietly, printJson, printResult, Refused } from "../../output.ts";
import { describe } from "./description.ts";

/** `isDone`: whether the payment shows what was asked for; where it does not, it was refused by a gateway or has failed. */
export const printAnswer = Effect.fnUntraced(function* (
  reply: CommandReply,
  json: boolean,
  isDone: (payment: PaymentView) => boolean,
) {
  if (json) yield* printJson(reply);
  else if (reply.ok) yield* printResult(describe(reply.payment) + (reply.replayed ? "\n  (replayed)" : ""));
  if (!reply.ok) {
    return yield* json ? new FailedQuietly() : new Refused({ message: `${reply.error.code}: ${reply.error.message}` });
  }
  if (!isDone(reply.payment)) return yield* new FailedQuietly();
});
