/**
 * What one call says about its gateway. Two questions, since a gateway that declines well works well:
 *
 * | outcome                               | does the gateway work? | did the charge go well?                        |
 * |---------------------------------------|------------------------|------------------------------------------------|
 * | approved, action required             | yes                    | yes                                            |
 * | declined, another gateway may be tried| yes                    | no                                             |
 * | declined for good                     | yes                    | says nothing: it is the card's or customer's   |
 * | not sent, unknown                     | no                     | no                                             |
 * | held back by ourselves, or turned     | says nothing           | says nothing                                   |
 * | away with a time to wait (429)        |                        |                                                |
 * | a look-up, capture, void or refund    | unless it has no answer| says nothing                                   |
 */

export interface Verdict {
  readonly isAnswered: boolean;
  /** Only of a charge that was sent. */
  readonly isSuccess?: boolean;
}

export interface Heard {
  readonly _tag: string;
  readonly tryAnotherGateway?: boolean;
  readonly heldBack?: boolean;
  readonly retryAfterMillis?: number;
  readonly sameKeyAnswers?: boolean;
}

/** `isCharge`: a charge was sent, and not only asked about. Undefined: it says nothing. */
export const verdictOf = (isCharge: boolean, { _tag, ...heard }: Heard): Verdict | undefined => {
  // A gateway that is asked too much is well, and one that has no way of asking gives no answer however well it is.
  const isAskedTooMuch = heard.heldBack === true || heard.retryAfterMillis !== undefined;
  if (isAskedTooMuch || heard.sameKeyAnswers === true) return undefined;
  const isAnswered = _tag !== "Unknown" && _tag !== "NotSent";
  const isOfTheCard = _tag === "Declined" && heard.tryAnotherGateway !== true;
  if (!isCharge || isOfTheCard) return { isAnswered };
  return { isAnswered, isSuccess: isAnswered && _tag !== "Declined" };
};
