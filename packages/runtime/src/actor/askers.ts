/**
 * Who waits for what a command asked for, and what they are told. The tokens are committed with their commands, so whoever
 * completes one answers; who repeated a command meanwhile is known to this process only.
 */
import { isCompleted, waitingFor } from "@aegispay/core/payment/completion";
import { rememberedOf } from "@aegispay/core/payment/identifiedCommands";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { Effect } from "effect";
import { Answers } from "../answers/Answers.ts";
import { Settings } from "../config/RuntimeSettings.ts";
import type { PaymentActor } from "./PaymentActor.ts";

export const makeAskers = Effect.gen(function* () {
  const answers = yield* Answers;
  const { mailboxCapacity } = yield* Settings;

  /** As many as its mailbox holds may wait for one payment; a further one asks again. */
  const add = (actor: PaymentActor, token: string, commandId: string, replayed: boolean): void => {
    if (actor.askers.size < mailboxCapacity || actor.askers.has(token))
      actor.askers.set(token, { commandId, replayed });
  };

  /** A command that was refused by state gets that answer, for ever; any other the payment as it is now. */
  const answer = (actor: PaymentActor, token: string, commandId: string, replayed: boolean): void => {
    const { state } = actor.position;
    if (state.name === "ABSENT") return;
    const payment = viewPayment(actor.payment, state);
    const refusal = rememberedOf(state, commandId)?.refusal;
    const asker = { merchant: actor.payment.merchant, token, commandId };
    answers.answer(
      asker,
      refusal === undefined ? { ok: true, replayed, payment } : { ok: false, replayed, error: refusal, payment },
    );
  };

  return {
    add,
    answer,
    /** Whoever asked, by what the log says, and has no answer yet. */
    remember: (actor: PaymentActor): void => {
      for (const { token, commandId } of waitingFor(actor.position.state)) {
        if (!actor.askers.has(token)) add(actor, token, commandId, false);
      }
    },
    answerCompleted: (actor: PaymentActor): void => {
      for (const [token, { commandId, replayed }] of actor.askers) {
        if (!isCompleted(actor.position.state, commandId)) continue;
        actor.askers.delete(token);
        answer(actor, token, commandId, replayed);
      }
    },
  };
});
