import { defaultPolicy } from "@aegispay/core/payment/Given";
import { describe, it } from "vitest";
import {
  attemptStarted,
  create,
  authenticated,
  givenAt,
  initiated,
  lookedUp,
  lookingUp,
  request,
  roundStarted,
  resending,
  tried,
  unknown,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const { lookUpDelaysMillis, resendForMillis } = defaultPolicy;
const sameKeyAnswers = { ...unknown, sameKeyAnswers: true } as const;

describe("a gateway that answers only the same request under its key", () => {
  it("gets it again in place of a look-up, without a claim that it knows nothing", () => {
    given(...lookingUp)
      .when(lookedUp(sameKeyAnswers, 1))
      .then(roundStarted(2, "resend", 0))
      .is("OUTCOME_UNKNOWN")
      .owes("1/2 resend");
  });

  it("is looked up again, and not sent to again, when the resend has no answer either", () => {
    given(...resending)
      .when(tried(sameKeyAnswers, 2))
      .then(roundStarted(3, "lookUp", lookUpDelaysMillis[1]!, 1))
      .owes("1/3 lookUp");
  });

  it("is only looked up once the time for sending again is over", () => {
    given(...lookingUp)
      .when(lookedUp(sameKeyAnswers, 1, givenAt(resendForMillis)))
      .then(roundStarted(2, "lookUp", resendForMillis + lookUpDelaysMillis[1]!, 1))
      .owes("1/2 lookUp");
  });
});

describe("what is announced for a gateway", () => {
  it("holds where the customer comes back to and whose card it is, and nothing else about the person", () => {
    const wishes = {
      returnUrl: "https://shop.example/back",
      customer: { id: "cus_1", name: "Ada", email: "ada@shop.example", country: "GB" },
    };
    const started = attemptStarted();
    if (started.type !== "AttemptStarted") throw new Error("no attempt");
    given()
      .when(create(wishes))
      .then(initiated(wishes), authenticated, {
        ...started,
        data: {
          ...started.data,
          request: {
            ...request,
            returnUrl: wishes.returnUrl,
            customer: { id: "cus_1", email: "ada@shop.example" },
          },
        },
      });
  });
});
