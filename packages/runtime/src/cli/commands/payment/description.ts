/** A payment as the command line shows it to people. */
import { formatMoney } from "@aegispay/core/money/Money";
import type { OperationView, PaymentView } from "@aegispay/core/payment/PaymentView";
import { colour } from "../../output.ts";

const tintOf = (state: string) => {
  if (state === "SUCCESS") return colour.green;
  return state === "FAILURE" || state === "NEEDS_REVIEW" ? colour.red : colour.yellow;
};

const describeFailure = ({ code, message, declineCode }: NonNullable<PaymentView["failure"]>): string =>
  `${code}${declineCode === undefined ? "" : ` (${declineCode})`}: ${message}`;

const describeOperation = (kind: string, operation: OperationView): string => {
  const { number, amount, status, commandId, failure, purpose } = operation;
  const parts = [
    `  ${kind} ${number}:`,
    ...(amount === undefined ? [] : [formatMoney(amount)]),
    status,
    ...(failure === undefined ? [] : [describeFailure(failure)]),
    purpose === "command" ? `(${commandId ?? ""})` : `(${purpose})`,
  ];
  return parts.join(" ");
};

/** What is held, taken and given back, where the state alone does not say it. */
const describeMoney = (payment: PaymentView): string | undefined => {
  const { authorized, captured, refunded, amount } = payment;
  const isAsAsked = captured === authorized && (authorized === amount.value || authorized === 0);
  if (isAsAsked && refunded === 0) return undefined;
  const money = (value: number) => formatMoney({ value, currency: amount.currency });
  const refundedText = refunded === 0 ? "" : `, refunded ${money(refunded)}`;
  return `  authorized ${money(authorized)}, captured ${money(captured)}${refundedText}`;
};

/** Why this gateway, and what spoke for and against the others. */
const describeRoute = ({ why, route }: PaymentView["attempts"][number]): ReadonlyArray<string> => {
  if (route === undefined) return [];
  const { rule, strategy, order, skipped } = route;
  return [
    `    why: ${why ?? ""} (${rule === undefined ? "" : `rule ${rule}, `}strategy ${strategy})`,
    ...order.map((chosen, place) => `    ${place + 1}. ${chosen.gateway}: ${chosen.why.join("; ")}`),
    ...skipped.map((one) => `    not ${one.gateway}: ${one.why}`),
  ];
};

export const describe = (payment: PaymentView): string => {
  const { merchant, paymentId, state, amount, version } = payment;
  const title = `${merchant}/${paymentId}  ${tintOf(state)(state, process.stdout)}`;
  const lines = [`${title}  ${formatMoney(amount)}  version ${version}`];
  const money = describeMoney(payment);
  if (money !== undefined) lines.push(money);
  if (payment.failure !== undefined) lines.push(`  failure: ${describeFailure(payment.failure)}`);
  if (payment.review !== undefined) lines.push(`  review: ${payment.review}`);
  if (payment.nextAction !== undefined) lines.push(`  next: send the customer to ${payment.nextAction.url}`);
  if (payment.expiresAt !== undefined) lines.push(`  expires at ${payment.expiresAt}`);
  for (const attempt of payment.attempts) {
    lines.push(
      `  attempt ${attempt.number} at ${attempt.gateway}: ${attempt.status} ${attempt.gatewayTransactionId ?? ""}`.trimEnd(),
      ...describeRoute(attempt),
    );
  }
  for (const [kind, operations] of [
    ["capture", payment.captures],
    ["void", payment.voids],
    ["refund", payment.refunds],
  ] as const) {
    for (const operation of operations) lines.push(describeOperation(kind, operation));
  }
  return lines.join("\n");
};
