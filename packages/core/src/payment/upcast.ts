/**
 * From any shape an event was ever stored in to the shape of today. What is stored stays as it is, byte for byte, since the
 * hash chain holds it; only what replay makes of it is brought up to date.
 */
import type { CurrentEvent, PaymentEvent } from "./PaymentEvent.ts";

export const upcast = (event: PaymentEvent): CurrentEvent => {
  const { version, at } = event;
  switch (event.type) {
    case "ReviewRequested": {
      const { attempt, reason } = event.data;
      return { version, at, type: "ReviewRequested.v2", data: { about: { attempt }, reason } };
    }
    case "IntegrityMismatchDetected": {
      const { attempt, expected, reported } = event.data;
      const data = { about: { attempt }, expected: expected.amount, reported };
      return { version, at, type: "IntegrityMismatchDetected.v2", data };
    }
    case "RoundStarted": {
      // Version 0.1.0 told the step by the number of rounds before: its logs go on from there.
      const { step = Math.ceil((event.data.round - 1) / 2) } = event.data;
      return event.data.step === undefined ? { ...event, data: { ...event.data, step } } : event;
    }
    default:
      return event;
  }
};
