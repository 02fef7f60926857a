/**
 * A charge at Razorpay, which has no idempotency key for it. What keeps it single:
 *
 * 1. Every try makes an order that bears the key, and then lists all that do. Only one that finds no other but its own pays
 *    at once; of two tries at the same time the second to list finds both.
 * 2. Where there are others, their payments answer. Where there are none, the oldest is paid, but not before every order
 *    but the try's own is `settleSeconds` old: a payment of it may be on its way. Razorpay takes no further payment on an
 *    order that is paid.
 * 3. A look-up that finds such a young order says neither yes nor no. So two owners at once, or a try after a lost answer,
 *    wait instead of paying twice.
 */
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Clock, Effect, Option } from "effect";
import {
  amountInexpressible,
  type Answered,
  isOk,
  unanswered,
  unknown,
  unreadable,
  withoutAnswer,
} from "../evidence/noAnswer.ts";
import { ruledCharge } from "../evidence/Ruling.ts";
import type { LookUpRequest, StartRequest } from "../Gateway.ts";
import type { Exchange, GatewayRequest } from "../http/GatewayHttp.ts";
import { chargeOutcomeOf, refusalIn } from "./RazorpayAnswer.ts";
import {
  decodeBegun,
  decodeOrder,
  decodeOrders,
  decodePayment,
  decodePayments,
  keyNote,
  noteIn,
  type Order,
} from "./razorpayDocuments.ts";
import { razorpayMoney } from "./razorpayMoney.ts";
import type { Payer, RazorpayRequests } from "./razorpayRequests.ts";

/** Over four times the longest time-out of a call, and a clock that is a minute off. */
const settleSeconds = 120;
/** More orders under one key than tries could have made: something is wrong, and people should look. */
const maxOrders = 10;

type Send = (request: GatewayRequest) => Effect.Effect<Exchange>;

/** Razorpay makes no payment for a card of nobody. */
const payerOf = ({ customer }: StartRequest): Payer | undefined => {
  const { id, email, phone } = customer ?? {};
  return id === undefined || email === undefined || phone === undefined ? undefined : { id, email, phone };
};

const payerMissing = {
  code: "customer_required",
  message: "a saved card is charged with customer.id, customer.email and customer.phone",
};

/** Whether the refusal says that an order with this receipt is there already. */
const isReceiptTaken = ({ status, body }: Answered): boolean =>
  status === 400 && /receipt should be unique/i.test(body);

/** Of a start: a charge that is gone again is for a look-up to sort out. */
const firstWord = (outcome: LookUpOutcome): GatewayOutcome =>
  outcome._tag === "Released" || outcome._tag === "NotFound" ? unknown("the charge was made and released") : outcome;

export const makeRazorpayCharge = (send: Send, requests: RazorpayRequests) => {
  /** All orders under the key, the oldest first. */
  const ordersUnder = Effect.fnUntraced(function* (idempotencyKey: string) {
    const exchange = yield* send(requests.orders(idempotencyKey));
    if (!isOk(exchange)) return unanswered(exchange);
    const list = decodeOrders(exchange.body);
    if (Option.isNone(list)) return unreadable(exchange);
    return list.value.items
      .filter(({ notes }) => noteIn(notes, keyNote) === idempotencyKey)
      .toSorted((one, other) => one.created_at - other.created_at || (one.id < other.id ? -1 : 1));
  });

  const isYoung = ({ created_at }: Order) =>
    Effect.map(Clock.currentTimeMillis, (now) => now < (created_at + settleSeconds) * 1000);

  /** What the order's payments say; undefined where it has none. */
  const paid = Effect.fnUntraced(function* ({ id }: Order, idempotencyKey: string) {
    const exchange = yield* send(requests.paymentsOf(id));
    if (!isOk(exchange)) return unanswered(exchange);
    const list = decodePayments(exchange.body);
    if (Option.isNone(list)) return unreadable(exchange);
    const outcomes = list.value.items.map((payment) => chargeOutcomeOf(payment, idempotencyKey));
    return (
      outcomes.find(({ _tag }) => _tag === "Approved") ?? outcomes.find(({ _tag }) => _tag === "Unknown") ?? outcomes[0]
    );
  });

  /** What the orders say together; undefined where none of them is paid, or may still be by somebody else. */
  const heard = Effect.fnUntraced(function* (
    orders: ReadonlyArray<Order>,
    idempotencyKey: string,
    own?: Order,
  ): Effect.fn.Return<LookUpOutcome | undefined> {
    if (orders.length > maxOrders) return unknown(`${orders.length} orders under one key`);
    const outcomes: Array<LookUpOutcome> = [];
    for (const order of orders) {
      const outcome = yield* paid(order, idempotencyKey);
      if (outcome !== undefined) outcomes.push(outcome);
      else if (order.id !== own?.id && (yield* isYoung(order))) {
        outcomes.push(unknown(`order ${order.id} may still be paid`));
      }
    }
    const approved = outcomes.filter(({ _tag }) => _tag === "Approved");
    if (approved.length > 1) return unknown("several payments under one key");
    return approved[0] ?? outcomes.find(({ _tag }) => _tag === "Unknown") ?? outcomes[0];
  });

  const lookUp = Effect.fnUntraced(function* ({ idempotencyKey }: LookUpRequest): Effect.fn.Return<LookUpOutcome> {
    const orders = yield* ordersUnder(idempotencyKey);
    if ("_tag" in orders) return orders;
    return (yield* heard(orders, idempotencyKey)) ?? { _tag: "NotFound" };
  });

  const begin = Effect.fnUntraced(function* (
    request: StartRequest,
    amount: number,
    order: Order,
    payer: Payer,
  ): Effect.fn.Return<GatewayOutcome> {
    const exchange = yield* send(requests.pay(request, amount, order.id, payer));
    if (exchange._tag !== "Answered") return withoutAnswer(exchange);
    if (exchange.status !== 200) return ruledCharge(...refusalIn(exchange));
    const begun = Option.getOrUndefined(decodeBegun(exchange.body));
    if (begun === undefined) return unreadable(exchange);
    const id = begun.razorpay_payment_id;
    const url = begun.next?.find(({ action }) => action === "redirect")?.url;
    if (url !== undefined) {
      return { _tag: "ActionRequired", gatewayTransactionId: id, nextAction: { type: "redirect", url } };
    }
    const shown = yield* send(requests.payment(id));
    if (!isOk(shown)) return unanswered(shown);
    const payment = decodePayment(shown.body);
    if (Option.isNone(payment)) return unreadable(shown);
    return firstWord(chargeOutcomeOf(payment.value, request.idempotencyKey));
  });

  const start = Effect.fnUntraced(function* (request: StartRequest): Effect.fn.Return<GatewayOutcome> {
    const { idempotencyKey } = request;
    const amount = razorpayMoney.toGateway(request.amount);
    const payer = payerOf(request);
    if (amount === undefined) return ruledCharge("moveOn", amountInexpressible(request.amount.currency));
    if (payer === undefined) return ruledCharge("moveOn", payerMissing);
    const made = yield* send(requests.order(request, amount));
    if (made._tag !== "Answered") return withoutAnswer(made);
    if (made.status !== 200 && !isReceiptTaken(made)) return ruledCharge(...refusalIn(made));
    const own = made.status === 200 ? Option.getOrUndefined(decodeOrder(made.body)) : undefined;
    if (made.status === 200 && own === undefined) return unreadable(made);
    const orders = yield* ordersUnder(idempotencyKey);
    if ("_tag" in orders) return orders;
    const [oldest, ...others] = orders;
    if (oldest === undefined) return unknown("the order that was made is not listed yet");
    if (oldest.id === own?.id && others.length === 0) return yield* begin(request, amount, oldest, payer);
    const outcome = yield* heard(orders, idempotencyKey, own);
    if (outcome === undefined) return yield* begin(request, amount, oldest, payer);
    return firstWord(outcome);
  });

  return { start, lookUp };
};
