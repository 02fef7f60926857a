import { chargeHeard, operationHeard } from "@aegispay/gateways/adyen/AdyenLookUp";
import { adyenWebhook } from "@aegispay/gateways/adyen/AdyenWebhook";
import { Redacted } from "effect";
import { describe, expect, it } from "vitest";
import { adyenHmacKey, merchantAccount, signedBatch, type AdyenItem } from "../conformance/adyenStandIn.ts";
import { adyenTraits } from "../conformance/adyenSubject.ts";
import { asked, chargeOf, operationOn } from "../conformance/Subject.ts";

const read = adyenWebhook(merchantAccount, [Redacted.make(adyenHmacKey)]);

const payment = "PSP0000000000001";

const item = (eventCode: string, success: "true" | "false" = "true", changes: Partial<AdyenItem> = {}): AdyenItem => ({
  eventCode,
  success,
  pspReference: payment,
  merchantReference: "ap_key-1",
  amount: { value: 1999, currency: "EUR" },
  ...changes,
});

const modification = (eventCode: string, success: "true" | "false" = "true"): AdyenItem =>
  item(eventCode, success, {
    pspReference: "PSP0000000000002",
    originalReference: payment,
    merchantReference: "ap_key-2",
    amount: { value: 700, currency: "EUR" },
  });

const heard = (...items: ReadonlyArray<AdyenItem>) => {
  const verdict = read(signedBatch(items));
  if (verdict._tag !== "Verified") throw new Error(`the batch is ${verdict._tag}`);
  return verdict.notifications;
};

const charge = asked(chargeOf(adyenTraits, "ap_key-1"));
const refund = operationOn(payment, "refund", "ap_key-2", { value: 700, currency: "EUR" });
const capture = operationOn(payment, "capture", "ap_key-2", { value: 700, currency: "EUR" });

describe("what Adyen has said about a charge", () => {
  it.each([
    ["nothing", [], { _tag: "Unknown", sameKeyAnswers: true }],
    ["that it is authorised", [item("AUTHORISATION")], { _tag: "Approved", status: "succeeded" }],
    ["that it is refused", [item("AUTHORISATION", "false")], { _tag: "Declined", tryAnotherGateway: false }],
    [
      "both, in whatever order",
      [item("AUTHORISATION"), item("AUTHORISATION", "false")],
      { _tag: "Approved", gatewayTransactionId: payment },
    ],
    ["that it has lapsed", [item("AUTHORISATION"), item("EXPIRE")], { _tag: "Released" }],
    ["that nobody paid", [item("OFFER_CLOSED")], { _tag: "Released" }],
    ["something else", [item("REPORT_AVAILABLE")], { _tag: "Unknown", sameKeyAnswers: true }],
  ] as const)("when it said %s is one outcome", (_, items, outcome) => {
    expect(chargeHeard(heard(item("AUTHORISATION_ADJUSTMENT"), ...items), charge)).toMatchObject(outcome);
  });

  it("is held, not taken, where the capture is the merchant's", () => {
    const manual = asked(chargeOf(adyenTraits, "ap_key-1", { capture: "manual" }));
    expect(chargeHeard(heard(item("AUTHORISATION")), manual)).toMatchObject({ status: "authorized" });
  });
});

describe("what Adyen has said about an operation", () => {
  it.each([
    ["nothing about a refund", refund, [], { _tag: "Unknown", sameKeyAnswers: true }],
    ["that a refund is done", refund, [modification("REFUND")], { _tag: "Done", amount: { value: 700 } }],
    ["that a refund is refused", refund, [modification("REFUND", "false")], { _tag: "Refused" }],
    [
      "that a refund failed after all",
      refund,
      [modification("REFUND"), modification("REFUND_FAILED")],
      { _tag: "Reversed", amount: { value: 700, currency: "EUR" } },
    ],
    ["that a refund came back", refund, [modification("REFUNDED_REVERSED")], { _tag: "Reversed" }],
    ["that a capture is done", capture, [modification("CAPTURE")], { _tag: "Done" }],
    [
      "that a capture failed after all",
      capture,
      [modification("CAPTURE"), modification("CAPTURE_FAILED")],
      { _tag: "Refused", code: "capture_failed" },
    ],
    [
      "something about another charge under the key",
      operationOn("PSP0000000000009", "refund", "ap_key-2"),
      [modification("REFUND")],
      { _tag: "Unknown" },
    ],
  ] as const)("when it said %s is one outcome", (_, request, items, outcome) => {
    expect(operationHeard(items.length === 0 ? [] : heard(...items), request)).toMatchObject(outcome);
  });
});

describe("a notification of Adyen's", () => {
  it("leads to its payment where the account repeats the order's reference, which proves nothing", () => {
    const [plain] = heard(item("AUTHORISATION"));
    expect(plain).not.toHaveProperty("reference");
    const delivery = signedBatch([item("AUTHORISATION")]);
    const text = Buffer.from(delivery.rawBody).toString("utf8");
    const body = text.replace('"additionalData":{', '"additionalData":{"merchantOrderReference":"shop/order-1",');
    expect(read({ ...delivery, rawBody: Buffer.from(body) })).toMatchObject({
      _tag: "Verified",
      notifications: [{ ...plain, reference: "shop/order-1" }],
    });
  });
});

describe("a body that bears no signature of Adyen's", () => {
  it.each([
    ["no JSON", "garbage"],
    ["no batch", '{"notificationItems":[]}'],
    ["an item of another shape", '{"notificationItems":[{"NotificationRequestItem":{"eventCode":7}}]}'],
    [
      "a signature without what it is over",
      '{"notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"AAAA"}}}]}',
    ],
    [
      "parts that are no texts",
      '{"notificationItems":[{"NotificationRequestItem":{"pspReference":{},"additionalData":{"hmacSignature":"AAAA"}}}]}',
    ],
  ])("is forged, and not one to be kept for its reading: %s", (_, body) => {
    expect(read({ rawBody: Buffer.from(body), headers: {}, nowMillis: 0 })._tag).toBe("Forged");
  });

  it("is told from one that is signed, and has another shape than this version knows", () => {
    const unknown = item("AUTHORISATION", "maybe" as "true");
    expect(read(signedBatch([unknown]))._tag).toBe("Unreadable");
  });

  it("is one that was signed, and whose parts were then written in another way", () => {
    const body = Buffer.from(signedBatch([item("AUTHORISATION")]).rawBody).toString("utf8");
    for (const [from, to] of [
      ['"value":1999', '"value":"1999"'],
      ['"success":"true"', '"success":true'],
    ] as const) {
      expect(body).toContain(from);
      expect(read({ rawBody: Buffer.from(body.replace(from, to)), headers: {}, nowMillis: 0 })._tag).toBe("Forged");
    }
  });

  it("is one whose signature was made over the same text in other parts", () => {
    const theirs = item("AUTHORISATION", "true", { merchantReference: `${merchantAccount}:ap_key-1` });
    const { rawBody } = signedBatch([theirs]);
    expect(read(signedBatch([theirs]))).toMatchObject({ _tag: "Verified" });
    // psp::account:account:key is psp, nothing, account, "account:key" as well as psp, ":account", account, key.
    const moved = Buffer.from(rawBody)
      .toString("utf8")
      .replace(
        `"merchantReference":"${merchantAccount}:ap_key-1"`,
        `"merchantReference":"ap_key-1","originalReference":":${merchantAccount}"`,
      );
    expect(read({ rawBody: Buffer.from(moved), headers: {}, nowMillis: 0 })._tag).toBe("Forged");
  });
});

describe("a batch of Adyen's", () => {
  it("with one forged item among others is not believed at all", () => {
    const good = JSON.parse(Buffer.from(signedBatch([item("AUTHORISATION")]).rawBody).toString()) as {
      readonly notificationItems: ReadonlyArray<unknown>;
    };
    const bad = JSON.parse(
      Buffer.from(signedBatch([item("REFUND")], "00".repeat(32)).rawBody).toString(),
    ) as typeof good;
    const body = { notificationItems: [...good.notificationItems, ...bad.notificationItems] };
    expect(read({ rawBody: Buffer.from(JSON.stringify(body)), headers: {}, nowMillis: 0 })._tag).toBe("Forged");
  });

  it("about another merchant account is not ours, however well it is signed", () => {
    const other = adyenWebhook("SomebodyElse", [Redacted.make(adyenHmacKey)]);
    expect(other(signedBatch([item("AUTHORISATION")]))._tag).toBe("Forged");
  });
});
