/**
 * From what a client published to a command, or to a refusal that says what to do. Nothing a client sends can make this
 * throw: size, depth and text are looked at before anything is parsed.
 */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { holdsCardNumber, valueHoldsCardNumber } from "@aegispay/core/identity/CardNumber";
import { isCommandId, isReplyToken, isToken } from "@aegispay/core/identity/Identity";
import {
  AuthenticateBody,
  CancelBody,
  CaptureBody,
  RefundBody,
  ResolveBody,
  VoidBody,
} from "@aegispay/core/payment/CommandBodies";
import { CreateBody, withoutDefaults } from "@aegispay/core/payment/CreateBody";
import type { Given } from "@aegispay/core/payment/Given";
import { clientVerbs, type IdentifiedCommand } from "@aegispay/core/payment/PaymentCommand";
import type { ReplyTo } from "@aegispay/core/payment/PaymentEvent";
import { reject, type Rejection } from "@aegispay/core/payment/Rejection";
import { Result, Schema } from "effect";
import type { Delivery } from "./CommandQueue.ts";

/** The largest body of a command, in bytes. */
export const maxBodyBytes = 64 * 1024;

/** Objects and arrays within one another; a command needs three. */
const maxDepth = 16;

export interface Refused {
  readonly _tag: "Refused";
  readonly rejection: Rejection;
  readonly commandId: string;
  /** Absent where nobody waits, or where the token given is none. */
  readonly replyTo?: ReplyTo;
  /** The body as text, for the parked copy; absent where it holds card data or is no text. */
  readonly body?: string;
}

export interface Decoded {
  readonly _tag: "Decoded";
  readonly command: IdentifiedCommand;
}

const readText = new TextDecoder("utf-8", { fatal: true });

const invalid = (message: string): Rejection => reject("InvalidCommand", message);

/** Whether brackets nest deeper than a command needs: parsing and checking recurse, so this comes first. */
const nestsTooDeep = (text: string): boolean => {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === 0x5c) index++;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) inString = true;
    else if (character === 0x7b || character === 0x5b) {
      depth++;
      if (depth > maxDepth) return true;
    } else if (character === 0x7d || character === 0x5d) depth--;
  }
  return false;
};

const parse = (text: string): Result.Result<unknown, Rejection> => {
  if (nestsTooDeep(text)) return Result.fail(invalid(`the body nests deeper than ${maxDepth} levels`));
  try {
    return Result.succeed(JSON.parse(text));
  } catch {
    return Result.fail(invalid("the body is not JSON"));
  }
};

const cardData = reject(
  "CardDataRefused",
  "the command holds a card number: send a token of your gateway's vault instead; nothing of it was kept",
);

const decoderOf = <Body>(schema: Schema.Decoder<Body>) => {
  const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error" });
  return (parsed: unknown) => Result.mapError(decode(parsed), (issue) => invalid(shorten(issue.message)));
};

const createBody = decoderOf(CreateBody);
const authenticateBody = decoderOf(AuthenticateBody);
const captureBody = decoderOf(CaptureBody);
const voidBody = decoderOf(VoidBody);
const refundBody = decoderOf(RefundBody);
const cancelBody = decoderOf(CancelBody);
const resolveBody = decoderOf(ResolveBody);

/** What is asked for, before it has an identity. */
type Asked = {
  [Type in IdentifiedCommand["type"]]: Pick<Extract<IdentifiedCommand, { readonly type: Type }>, "type" | "body">;
}[IdentifiedCommand["type"]];

/** By verb; the last one is operators' alone. */
const readBody = (verb: string, parsed: unknown): Result.Result<Asked, Rejection> | undefined => {
  switch (verb) {
    case "create":
      return Result.map(createBody(parsed), (body) => ({ type: "Create", body: withoutDefaults(body) }));
    case "authenticate":
      return Result.map(authenticateBody(parsed), (body) => ({ type: "Authenticate", body }));
    case "capture":
      return Result.map(captureBody(parsed), (body) => ({ type: "Capture", body }));
    case "void":
      return Result.map(voidBody(parsed), (body) => ({ type: "Void", body }));
    case "refund":
      return Result.map(refundBody(parsed), (body) => ({ type: "Refund", body }));
    case "cancel":
      return Result.map(cancelBody(parsed), (body) => ({ type: "Cancel", body }));
    case "resolve":
      return Result.map(resolveBody(parsed), (body) => ({ type: "Resolve", body }));
    default:
      return undefined;
  }
};

/** Who published it may do what the verb says. */
const isVerbOf = (source: Delivery["source"], verb: string): boolean =>
  source === "internal" ? verb === "resolve" : (clientVerbs as ReadonlyArray<string>).includes(verb);

/** Without an identity of its own a lost acknowledgement, and the command published again, would do these twice. */
const needsCommandId = ({ type, body }: Asked): boolean =>
  type === "Refund" || (type === "Capture" && body.amount !== undefined);

/** A message about a hostile body can be as long as the body. */
const shorten = (message: string): string => (message.length > 500 ? `${message.slice(0, 500)}…` : message);

interface Asker {
  /** Who is answered, also with a refusal. */
  readonly replyTo?: ReplyTo;
  readonly rejection?: Rejection;
}

const readAsker = (delivery: Delivery): Asker => {
  const token = delivery.header("Aegis-Reply-To");
  const when = delivery.header("Aegis-Reply-When") ?? "completed";
  if (token === undefined) return {};
  if (!isReplyToken(token))
    return { rejection: invalid("Aegis-Reply-To is a token of 16 to 64 characters [A-Za-z0-9_-]") };
  return when === "accepted" || when === "completed"
    ? { replyTo: { token, when } }
    : { replyTo: { token, when: "completed" }, rejection: invalid(`Aegis-Reply-When is "accepted" or "completed"`) };
};

/** `message`: the command's position in its stream, `<stream created>/<sequence>`, its identity where it brings none. */
export const decodeCommand = (delivery: Delivery, message: string, given: Given): Decoded | Refused => {
  const { payment, verb } = delivery;
  const commandId = delivery.header("Aegis-Command-Id") ?? message;
  const asker = readAsker(delivery);
  const headers = delivery.headerText();
  const address = `${payment.merchant}\n${payment.paymentId}\n${verb}`;
  // Ids and headers are stored as well: in subjects, in the log, in the queue. One look at all of them together.
  const outsideHolds = holdsCardNumber(`${address}\n${headers ?? ""}`);
  // The subject of an answer names the merchant and the token, never the payment.
  const mayAnswer = isToken(payment.merchant) && !(outsideHolds && holdsCardNumber(payment.merchant));
  const replyTo = mayAnswer ? asker.replyTo : undefined;

  const refused = (rejection: Rejection, body?: string): Refused => ({
    _tag: "Refused",
    rejection,
    commandId: isCommandId(commandId) && !holdsCardNumber(commandId) ? commandId : message,
    ...(replyTo === undefined || holdsCardNumber(replyTo.token) ? {} : { replyTo }),
    ...(body === undefined ? {} : { body }),
  });

  if (outsideHolds) return refused(cardData);
  if (delivery.body.length > maxBodyBytes) return refused(oversized(delivery.body));
  let text: string;
  try {
    text = readText.decode(delivery.body);
  } catch {
    return refused(textHoldsCardNumber(lossyText(delivery.body)) ? cardData : invalid("the body is not UTF-8 text"));
  }
  // Before every other refusal, since those park the body.
  if (textHoldsCardNumber(text)) return refused(cardData);
  const parsed = parse(text);
  if (hidesDigits.test(text) && Result.isSuccess(parsed) && valueHoldsCardNumber(parsed.success)) {
    return refused(cardData);
  }
  if (headers === undefined) return refused(invalid("the headers cannot be read: send well-formed NATS headers"), text);
  if (!isToken(payment.merchant) || !isToken(payment.paymentId)) {
    return refused(invalid("merchant and payment id have 1 to 128 characters of [A-Za-z0-9_-]"), text);
  }
  if (asker.rejection !== undefined) return refused(asker.rejection, text);
  if (!isCommandId(commandId)) {
    return refused(invalid("Aegis-Command-Id has 1 to 128 characters of [A-Za-z0-9_-:./]"), text);
  }
  if (!isVerbOf(delivery.source, verb)) {
    return refused(invalid(`unknown verb: this version takes ${clientVerbs.join(", ")}`), text);
  }
  if (Result.isFailure(parsed)) return refused(parsed.failure, text);
  const asked = readBody(verb, parsed.success);
  if (asked === undefined || Result.isFailure(asked)) {
    return refused(asked === undefined ? invalid("unknown verb") : asked.failure, text);
  }
  if (needsCommandId(asked.success) && delivery.header("Aegis-Command-Id") === undefined) {
    return refused(
      invalid(
        "a refund, and a capture with an amount, need an Aegis-Command-Id: without one a repeat would be another",
      ),
      text,
    );
  }
  const command = {
    ...asked.success,
    payment,
    hash: canonicalHash(asked.success.body),
    commandId,
    message,
    ...(replyTo === undefined ? {} : { replyTo }),
    given,
  };
  return { _tag: "Decoded", command: command as IdentifiedCommand };
};

/** Escapes and exponents: all that lets a decoded value hold digits which its text does not show. */
const hidesDigits = /\\|\d[eE]/;

const unicodeEscape = /\\u([0-9a-fA-F]{4})/g;

/** Also behind JSON's escapes and UTF-16's NULs, in text that may be no JSON, or be too large or too deep to be parsed. */
const textHoldsCardNumber = (text: string): boolean =>
  holdsCardNumber(text) ||
  (text.includes("\0") && holdsCardNumber(text.replaceAll("\0", ""))) ||
  (text.includes("\\u") &&
    holdsCardNumber(text.replaceAll(unicodeEscape, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))));

const lossyText = (body: Uint8Array): string => Buffer.from(body).toString("latin1");

const oversized = (body: Uint8Array): Rejection =>
  textHoldsCardNumber(lossyText(body))
    ? cardData
    : invalid(`the body has ${body.length} bytes, at most ${maxBodyBytes} are taken`);
