/** Logs as they were stored, byte for byte, since hooks are asked before a payment begins. Never change a line here. */
import type { StoredLog } from "./storedLogs.ts";

export const storedVerdicts: ReadonlyArray<StoredLog> = [
  {
    story: "a success that hooks have let through and sent elsewhere",
    state: "SUCCESS",
    head: "ea3ff571ecabd7f33e7daf6c8919f6b4d8ff11c2ca26fee174fe00bc5e0b5c3d",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"validate","verdict":"accepted","millis":1}},{"version":3,"type":"PaymentEnriched","at":"2026-01-02T03:04:05.000Z","data":{"labels":{"tier":"gold"}}},{"version":4,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"fraudCheck","verdict":"allowed","score":0.25,"millis":12}},{"version":5,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"route","verdict":"ordered","order":["east","north"],"millis":2}},{"version":6,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":7,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"east","account":"e1","why":"route hook","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"SUCCESS","events":[{"version":8,"type":"PaymentSucceeded","at":"2026-01-02T03:04:05.070Z","data":{"attempt":1,"gatewayTransactionId":"ch_1","amount":{"value":1999,"currency":"USD"}}}],"prev":"df18acb6c8d2ebe6b6558fa57c8f01ebc09e71b848c7c6e22379ba2eb33ebedf"}',
    ],
  },
  {
    story: "a failure that the fraud check wanted, after an enrichment that gave no answer",
    state: "FAILURE",
    head: "14ee34f3ec2d40705174cf1bbcb5a6c8967ee0e66b2aa4eec47942eb6f26376d",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"FAILURE","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"validate","verdict":"accepted","millis":1}},{"version":3,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"enrich","verdict":"failed","reason":"it gave no answer within 1000 ms","millis":1000}},{"version":4,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"fraudCheck","verdict":"refused","reason":"velocity","score":97,"millis":9}},{"version":5,"type":"PaymentFailed","at":"2026-01-02T03:04:05.000Z","data":{"failure":{"code":"fraud_refused","message":"the fraud check refused the payment"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
    ],
  },
  {
    story: "a failure that the validation wanted",
    state: "FAILURE",
    head: "be9fc7816f3bf1a705448c9725b7454754f4f7a69feefb512c310c0da149e4d8",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"FAILURE","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"HookJudged","at":"2026-01-02T03:04:05.000Z","data":{"hook":"validate","verdict":"refused","code":"no_gifts","reason":"gift cards are not sold","millis":1}},{"version":3,"type":"PaymentFailed","at":"2026-01-02T03:04:05.000Z","data":{"failure":{"code":"validation_refused","message":"gift cards are not sold","declineCode":"no_gifts"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
    ],
  },
];
