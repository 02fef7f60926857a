/**
 * Logs as they were stored, byte for byte, at first by version 0.1.0. What is stored is stored for ever: never change a
 * line here; a later version adds logs of its own.
 */
export interface StoredLog {
  readonly story: string;
  readonly state: string;
  /** The hash that chains a next commit to the last one. */
  readonly head: string;
  readonly commits: ReadonlyArray<string>;
}

export const storedLogs: ReadonlyArray<StoredLog> = [
  {
    story: "a success after a lost answer, a look-up that found nothing and a resend",
    state: "SUCCESS",
    head: "3b771e2a949b2f73b534e8d39364e8fcd0ca31689dbfbd450b541a3abb45a85a",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"},"description":"two tickets – Zürich","metadata":{"order":"A-17","cart.size":"2"},"customer":{"id":"c-9","name":"Ada","email":"ada@example.com","phone":"+4915112345678","country":"DE"},"returnUrl":"https://shop.example/back","gateway":"north"},"commandId":"c1","message":"1/1","hash":"nku9UJw7Hvxi5wcveY0RhQA5n3oZYcdbxnMQToDLcXc","replyTo":{"token":"reply-token-0123456789","when":"completed"}}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"preferred","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"OUTCOME_UNKNOWN","events":[{"version":4,"type":"AttemptOutcomeUnknown","at":"2026-01-02T03:04:20.000Z","data":{"attempt":1,"round":0,"reason":"no answer in time"}},{"version":5,"type":"RoundStarted","at":"2026-01-02T03:04:20.000Z","data":{"attempt":1,"round":1,"action":"lookUp","due":"2026-01-02T03:04:20.000Z"}}],"prev":"cca1739c4a8c49e6cfb7806a507f1b211870952eb35ef9cc1dbb3c7f92b35123"}',
      '{"merchant":"shop","paymentId":"order-1","state":"OUTCOME_UNKNOWN","events":[{"version":6,"type":"OutcomeVerified","at":"2026-01-02T03:04:20.100Z","data":{"attempt":1,"round":1,"outcome":{"_tag":"NotFound"}}},{"version":7,"type":"RoundStarted","at":"2026-01-02T03:04:20.100Z","data":{"attempt":1,"round":2,"action":"resend","due":"2026-01-02T03:04:20.100Z"}}],"prev":"1199864c4e84c796313aebcfd5a17881fc6223a3e00b6d46e8e2f99c469c4be7"}',
      '{"merchant":"shop","paymentId":"order-1","state":"SUCCESS","events":[{"version":8,"type":"OutcomeVerified","at":"2026-01-02T03:04:20.300Z","data":{"attempt":1,"round":2,"outcome":{"_tag":"Approved","gatewayTransactionId":"ch_1","status":"succeeded","amount":{"value":1999,"currency":"USD"}}}}],"prev":"59170836ee7b8427354618f2fa20f89165f401bed5f70ff9cfe369b71eabbe8f"}',
    ],
  },
  {
    story: "a success after a retry",
    state: "SUCCESS",
    head: "f38a58eb3eefdab76b1f2bef61f020ab2eedf2ead057afa7547779efd0ae12ac",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"},"capture":"automatic"},"commandId":"c1","message":"1/1","hash":"xtORGmxzdoO4cUHGku0JjOVJJyNhXSCc1Kv-2u_7OV4"}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"first","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":4,"type":"AttemptNotSent","at":"2026-01-02T03:04:05.020Z","data":{"attempt":1,"round":0,"reason":"connection refused","last":false}},{"version":5,"type":"RoundStarted","at":"2026-01-02T03:04:05.020Z","data":{"attempt":1,"round":1,"action":"resend","due":"2026-01-02T03:04:06.020Z"}}],"prev":"5db69c70d0730cf8deb1dbeaca1e00c8a016ae4e0a6af181b8248c5ea46097c5"}',
      '{"merchant":"shop","paymentId":"order-1","state":"SUCCESS","events":[{"version":6,"type":"PaymentSucceeded","at":"2026-01-02T03:04:06.100Z","data":{"attempt":1,"gatewayTransactionId":"ch_1","amount":{"value":1999,"currency":"USD"}}}],"prev":"90f78dc35b76828d5bb3038230e850589a54415a9dcddd2654864a0f4746683f"}',
    ],
  },
  {
    story: "a failure after the next gateway declined too",
    state: "FAILURE",
    head: "fe5c2e75f0d9d6e72fa81a1d1c31cd4285a69d5e09b0693ea8952056b50b2a23",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"first","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":4,"type":"AttemptDeclined","at":"2026-01-02T03:04:05.050Z","data":{"attempt":1,"outcome":{"_tag":"Declined","code":"processing_error","message":"try again","declineCode":"try_again_later","tryAnotherGateway":true}}},{"version":5,"type":"AttemptStarted","at":"2026-01-02T03:04:05.050Z","data":{"attempt":2,"gateway":"south","account":"s1","why":"after processing_error","idempotencyKey":"ap_JkhZtcplx9GrfU0o0AuRf1HVvGLWW_5SC80TIg69qJo","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"edbdb843f8fd180c22f6de61f055f509f8de7aacb2192ad7e7e238ffb32b695f"}',
      '{"merchant":"shop","paymentId":"order-1","state":"FAILURE","events":[{"version":6,"type":"AttemptDeclined","at":"2026-01-02T03:04:05.090Z","data":{"attempt":2,"outcome":{"_tag":"Declined","code":"card_declined","message":"no","declineCode":"insufficient_funds","gatewayTransactionId":"ch_1","tryAnotherGateway":false}}},{"version":7,"type":"PaymentFailed","at":"2026-01-02T03:04:05.090Z","data":{"failure":{"code":"card_declined","message":"no","declineCode":"insufficient_funds"}}}],"prev":"118bfe63038990153652192e0c456d1ae344990398f2bf61409be9d439881c5b"}',
    ],
  },
  {
    story: "a customer who must act",
    state: "REQUIRES_ACTION",
    head: "80eabcba333a48ff16a587a4e2a0fb721277ee59601b4ffe816ae9ed543cd780",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"first","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"REQUIRES_ACTION","events":[{"version":4,"type":"ActionRequired","at":"2026-01-02T03:04:05.070Z","data":{"attempt":1,"gatewayTransactionId":"ch_1","nextAction":{"type":"redirect","url":"https://bank.example/3ds"}}}],"prev":"edbdb843f8fd180c22f6de61f055f509f8de7aacb2192ad7e7e238ffb32b695f"}',
    ],
  },
  {
    story: "a review after a wrong amount",
    state: "NEEDS_REVIEW",
    head: "90f382ca526dbd87bbe1087ecab493870a8bdec930a63be839abf2cf3fafd399",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"first","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"NEEDS_REVIEW","events":[{"version":4,"type":"IntegrityMismatchDetected","at":"2026-01-02T03:04:05.070Z","data":{"attempt":1,"expected":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"},"reported":{"_tag":"Approved","gatewayTransactionId":"ch_1","status":"succeeded","amount":{"value":1,"currency":"USD"}}}}],"prev":"edbdb843f8fd180c22f6de61f055f509f8de7aacb2192ad7e7e238ffb32b695f"}',
    ],
  },
  {
    story: "a review after a take-over, too late to send again",
    state: "NEEDS_REVIEW",
    head: "2902c2d13d10bb4dbccd478ded14e9ead0aa571e266483848428c8a47661717f",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"first","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"OUTCOME_UNKNOWN","events":[{"version":4,"type":"AttemptOutcomeUnknown","at":"2026-01-02T03:19:05.000Z","data":{"attempt":1,"round":0,"reason":"the owner that was trying has gone"}},{"version":5,"type":"RoundStarted","at":"2026-01-02T03:19:05.000Z","data":{"attempt":1,"round":1,"action":"lookUp","due":"2026-01-02T03:19:05.000Z"}}],"prev":"edbdb843f8fd180c22f6de61f055f509f8de7aacb2192ad7e7e238ffb32b695f"}',
      '{"merchant":"shop","paymentId":"order-1","state":"NEEDS_REVIEW","events":[{"version":6,"type":"OutcomeVerified","at":"2026-01-02T03:19:05.050Z","data":{"attempt":1,"round":1,"outcome":{"_tag":"NotFound"}}},{"version":7,"type":"ReviewRequested","at":"2026-01-02T03:19:05.050Z","data":{"attempt":1,"reason":"the gateway knows nothing of the attempt, and the time for sending it again is over"}}],"prev":"aea2ced59b31671facce11dccf564c29bcc6023f9fca663a6dd838b2838cec6f"}',
    ],
  },
  // As stored since rounds name their step of the schedule, and a review goes on asking the gateway.
  {
    story: "a success that the second daily look-up of a review found, after two changes of owner",
    state: "SUCCESS",
    head: "24a2ea7aad6b0e4c131ec47e31d8ff82e2cff61b37fdeeda6e43115711afc2eb",
    commits: [
      '{"merchant":"shop","paymentId":"order-1","state":"PROCESSING","events":[{"version":1,"type":"PaymentInitiated","at":"2026-01-02T03:04:05.000Z","data":{"create":{"amount":{"value":1999,"currency":"USD"},"method":{"type":"card","token":"tok_visa"}},"commandId":"c1","message":"1/1","hash":"mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc"}},{"version":2,"type":"PaymentAuthenticated","at":"2026-01-02T03:04:05.000Z","data":{"method":"none"}},{"version":3,"type":"AttemptStarted","at":"2026-01-02T03:04:05.000Z","data":{"attempt":1,"gateway":"north","account":"n1","why":"first","idempotencyKey":"ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk","request":{"reference":"shop/order-1","amount":{"value":1999,"currency":"USD"},"token":"tok_visa","capture":"automatic"}}}],"prev":"92c00991569b78970d5e7765d77929f3aa3f553f750bdee9dc1688528d41b06c"}',
      '{"merchant":"shop","paymentId":"order-1","state":"OUTCOME_UNKNOWN","events":[{"version":4,"type":"AttemptOutcomeUnknown","at":"2026-01-02T03:04:20.000Z","data":{"attempt":1,"round":0,"reason":"no answer in time"}},{"version":5,"type":"RoundStarted","at":"2026-01-02T03:04:20.000Z","data":{"attempt":1,"round":1,"action":"lookUp","due":"2026-01-02T03:04:20.000Z","step":0}}],"prev":"edbdb843f8fd180c22f6de61f055f509f8de7aacb2192ad7e7e238ffb32b695f"}',
      '{"merchant":"shop","paymentId":"order-1","state":"OUTCOME_UNKNOWN","events":[{"version":6,"type":"RoundStarted","at":"2026-01-02T03:04:30.000Z","data":{"attempt":1,"round":2,"action":"lookUp","due":"2026-01-02T03:04:35.000Z","step":1}}],"prev":"9c5aecbf63a87d32b4d7ae0d09efbddf71ade101d79a8ad9a279887e8f1a33e5"}',
      '{"merchant":"shop","paymentId":"order-1","state":"OUTCOME_UNKNOWN","events":[{"version":7,"type":"RoundStarted","at":"2026-01-02T03:04:32.000Z","data":{"attempt":1,"round":3,"action":"lookUp","due":"2026-01-02T03:04:35.000Z","step":1}}],"prev":"bea10560dd6a08dab4b8bbd678766fce534aea71773ac14488f1f360e75e7c88"}',
      '{"merchant":"shop","paymentId":"order-1","state":"NEEDS_REVIEW","events":[{"version":8,"type":"OutcomeVerified","at":"2026-01-02T03:20:45.000Z","data":{"attempt":1,"round":3,"outcome":{"_tag":"NotFound"}}},{"version":9,"type":"ReviewRequested","at":"2026-01-02T03:20:45.000Z","data":{"attempt":1,"reason":"the gateway knows nothing of the attempt, and the time for sending it again is over"}},{"version":10,"type":"RoundStarted","at":"2026-01-02T03:20:45.000Z","data":{"attempt":1,"round":4,"action":"lookUp","due":"2026-01-03T03:20:45.000Z","step":8}}],"prev":"30a61a8fd3a29be5b829f8373eed6d206cc31aa676f3b87be40368faf5663e6b"}',
      '{"merchant":"shop","paymentId":"order-1","state":"NEEDS_REVIEW","events":[{"version":11,"type":"OutcomeVerified","at":"2026-01-03T03:20:45.000Z","data":{"attempt":1,"round":4,"outcome":{"_tag":"NotFound"}}},{"version":12,"type":"RoundStarted","at":"2026-01-03T03:20:45.000Z","data":{"attempt":1,"round":5,"action":"lookUp","due":"2026-01-04T03:20:45.000Z","step":8}}],"prev":"9c8fb9e7dee7d19120d764139583d30099aa7242676f400a58244123b8b86ada"}',
      '{"merchant":"shop","paymentId":"order-1","state":"NEEDS_REVIEW","events":[{"version":13,"type":"RoundStarted","at":"2026-01-04T03:20:46.000Z","data":{"attempt":1,"round":6,"action":"lookUp","due":"2026-01-04T03:20:46.000Z","step":8}}],"prev":"401486eba54bc9605980b6b157f79f89c5744307c4ddcf41537a17150e400a38"}',
      '{"merchant":"shop","paymentId":"order-1","state":"SUCCESS","events":[{"version":14,"type":"OutcomeVerified","at":"2026-01-04T03:20:47.000Z","data":{"attempt":1,"round":6,"outcome":{"_tag":"Approved","gatewayTransactionId":"ch_1","status":"succeeded","amount":{"value":1999,"currency":"USD"}}}}],"prev":"3be330698278e930bbd296f82f24442c5569062404f935c122ffc901ab9576b9"}',
    ],
  },
];
