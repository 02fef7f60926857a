/**
 * The points of a payment's life at which a process may die. A seam for the tests that make it die there: they provide a
 * layer that kills; the only layer for production does nothing.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Layer } from "effect";

export type CrashPoint =
  /** Before the first append of a payment. */
  | "beforeFirstAppend"
  /** A round is committed, its call has not begun. */
  | "beforeCall"
  /** The gateway has answered, its outcome is not committed. */
  | "afterCall"
  /** A commit is stored; nothing that follows from it (timer, answer, ack) has happened. */
  | "afterCommit"
  /** A debt that waits is committed, its timer is not armed. */
  | "beforeArming"
  /** Its timer is armed and its commands are acked; whoever waits has no answer yet. */
  | "afterAck";

export class CrashPoints extends Context.Service<
  CrashPoints,
  { readonly reach: (point: CrashPoint, payment: PaymentRef, state: string) => void }
>()("@aegispay/runtime/CrashPoints") {}

export const layerNoCrashPoints = Layer.succeed(CrashPoints, { reach: () => undefined });
