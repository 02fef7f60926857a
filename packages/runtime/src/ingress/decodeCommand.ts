/**
 * From what a client published to a command, or to a refusal that says what to do. Nothing a client sends can make this
 * throw: size, depth and text are looked at before anything is parsed.
 */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { holdsCardNumber, valueHoldsCardNumber } from "@aegispay/core/identity/CardNumber";
import { isCommandId, isReplyToken, isToken } from "@aegispay/core/identity/Identity";
import { CreateBody, withoutDefaults } from "@aegispay/core/payment/CreateBody";
import type { Given } from "@aegispay/core/payment/Given";
import { clientVerbs, type Create } from "@aegispay/core/payment/PaymentCommand";
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
  readonly command: Create;
}

const decodeBody = Schema.decodeUnknownResult(CreateBody, { onExcessProperty: "error" });
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

const unsupported = (body: CreateBody): string | undefined => {
  if (body.capture === "manual") return `capture "manual" is not supported`;
  if (body.expiresAt !== undefined) return "expiresAt is not supported";
  return undefined;
};

const checkVerb = (verb: string): Rejection | undefined => {
  if (verb === "create") return undefined;
  return (clientVerbs as ReadonlyArray<string>).includes(verb)
    ? invalid(`the verb "${verb}" is not supported`)
    : invalid(`unknown verb: of ${clientVerbs.join(", ")} this version takes create`);
};

const readCreate = (parsed: Result.Result<unknown, Rejection>): Result.Result<CreateBody, Rejection> => {
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure);
  const decoded = decodeBody(parsed.success);
  if (Result.isFailure(decoded)) return Result.fail(invalid(shorten(decoded.failure.message)));
  const missing = unsupported(decoded.success);
  return missing === undefined ? Result.succeed(withoutDefaults(decoded.success)) : Result.fail(invalid(missing));
};

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
  const mayAnswer = isToken(payment.merchant) && !(outsideHolds && holdsCardNumber(address));
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
  const wrongVerb = checkVerb(verb);
  if (wrongVerb !== undefined) return refused(wrongVerb, text);
  const body = readCreate(parsed);
  if (Result.isFailure(body)) return refused(body.failure, text);
  return {
    _tag: "Decoded",
    command: {
      type: "Create",
      payment,
      body: body.success,
      hash: canonicalHash(body.success),
      commandId,
      message,
      ...(replyTo === undefined ? {} : { replyTo }),
      given,
    },
  };
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
