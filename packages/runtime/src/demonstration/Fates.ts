/** What the demonstration's payments go through, and how each must end. */

export interface Fate {
  readonly name: string;
  readonly token: string;
  /** Identical creates sent at once. */
  readonly copies: number;
  readonly ends: "SUCCESS" | "FAILURE";
  /** Share of all payments, of 10. */
  readonly share: number;
}

export const fates: ReadonlyArray<Fate> = [
  { name: "success", token: "tok_visa", copies: 1, ends: "SUCCESS", share: 4 },
  { name: "sent three times", token: "tok_visa", copies: 3, ends: "SUCCESS", share: 1 },
  { name: "answer lost after the charge", token: "tok_lost_answer", copies: 1, ends: "SUCCESS", share: 2 },
  { name: "reset before the charge", token: "tok_reset", copies: 1, ends: "SUCCESS", share: 1 },
  { name: "declined", token: "tok_declined", copies: 1, ends: "FAILURE", share: 1 },
  { name: "insufficient funds", token: "tok_insufficient_funds", copies: 1, ends: "FAILURE", share: 1 },
];

const byTenth: ReadonlyArray<Fate> = fates.flatMap((fate) => Array.from({ length: fate.share }, () => fate));

/** The fate of the n-th payment: each tenth in turn, so that every fate is under way when the node is killed. */
export const fateOf = (index: number): Fate => byTenth[index % byTenth.length]!;
