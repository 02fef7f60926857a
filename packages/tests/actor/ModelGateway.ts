/**
 * A gateway as its own books have it: what it holds, has taken and has given back, by key, once. It answers truly; whether a
 * request or an answer arrives is for whoever asks it to say.
 */
import type {
  GatewayOutcome,
  LookUpOutcome,
  OperationLookUpOutcome,
  OperationOutcome,
} from "@aegispay/core/payment/GatewayOutcome";
import type { OperationRequest } from "@aegispay/gateways/Gateway";
import type { Attempt } from "@aegispay/core/payment/Errand";
import type { Choices } from "./Choices.ts";

export interface ModelCharge {
  readonly id: string;
  readonly amount: { readonly value: number; readonly currency: string };
  readonly isManual: boolean;
  status: "waiting" | "declined" | "authorized" | "succeeded" | "released";
  captured: number;
  refunded: number;
}

const declined = { _tag: "Declined", code: "no", message: "no" } as const;

export class ModelGateway {
  readonly charges = new Map<string, ModelCharge>();
  readonly #operations = new Map<string, OperationOutcome & OperationLookUpOutcome>();
  readonly #choices: Choices;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  #answer(charge: ModelCharge): Exclude<GatewayOutcome & LookUpOutcome, { readonly _tag: "Unknown" }> | LookUpOutcome {
    const { id: gatewayTransactionId, amount, status } = charge;
    switch (status) {
      case "waiting":
        return {
          _tag: "ActionRequired",
          gatewayTransactionId,
          nextAction: { type: "redirect", url: "https://bank.example" },
        };
      case "declined":
        return { ...declined, tryAnotherGateway: charge.amount.value % 2 === 1 };
      case "released":
        return { _tag: "Released", gatewayTransactionId };
      case "authorized":
        return { _tag: "Approved", gatewayTransactionId, status, amount };
      case "succeeded":
        return { _tag: "Approved", gatewayTransactionId, status, amount: { ...amount, value: charge.captured } };
    }
  }

  start({ idempotencyKey, request }: Pick<Attempt, "idempotencyKey" | "request">): GatewayOutcome {
    const { amount, capture } = request;
    const isManual = capture === "manual";
    const fresh: ModelCharge = {
      id: `t${this.charges.size + 1}`,
      amount,
      isManual,
      status: this.#choices.pick(["waiting", "declined", "approved", "approved", "approved"]) as ModelCharge["status"],
      captured: 0,
      refunded: 0,
    };
    const charge = this.charges.get(idempotencyKey) ?? fresh;
    if (!this.charges.has(idempotencyKey)) this.charges.set(idempotencyKey, charge);
    if ((charge.status as string) === "approved") this.#approve(charge);
    const answer = this.#answer(charge);
    return answer._tag === "Released" || answer._tag === "NotFound"
      ? { ...declined, tryAnotherGateway: false }
      : answer;
  }

  #approve(charge: ModelCharge): void {
    charge.status = charge.isManual ? "authorized" : "succeeded";
    charge.captured = charge.isManual ? 0 : charge.amount.value;
  }

  lookUp(key: string): LookUpOutcome {
    const charge = this.charges.get(key);
    return charge === undefined ? { _tag: "NotFound" } : this.#answer(charge);
  }

  operate({ kind, idempotencyKey, gatewayTransactionId, amount }: OperationRequest): OperationOutcome {
    const known = this.#operations.get(idempotencyKey);
    if (known !== undefined) return known;
    const charge = [...this.charges.values()].find(({ id }) => id === gatewayTransactionId);
    const moved = charge === undefined ? undefined : this.#book(charge, kind, amount?.value ?? 0);
    const outcome: OperationOutcome & OperationLookUpOutcome =
      moved === undefined
        ? { _tag: "Refused", code: "refused", message: "no" }
        : {
            _tag: "Done",
            operationId: `o${idempotencyKey}`,
            amount: { value: moved, currency: charge!.amount.currency },
          };
    this.#operations.set(idempotencyKey, outcome);
    return outcome;
  }

  /** What has moved, in minor units; undefined where there is nothing for it. */
  #book(charge: ModelCharge, kind: OperationRequest["kind"], value: number): number | undefined {
    const left = charge.amount.value - charge.captured;
    switch (kind) {
      case "capture":
        if (charge.status !== "authorized" || value > left) return undefined;
        charge.captured += value;
        if (value === left) charge.status = "succeeded";
        return value;
      case "refund":
        if (charge.captured - charge.refunded < value) return undefined;
        charge.refunded += value;
        return value;
      case "void": {
        const isHeld = charge.status === "waiting" || (charge.status === "authorized" && left > 0);
        if (!isHeld) return undefined;
        charge.status = charge.captured > 0 ? "succeeded" : "released";
        return left;
      }
    }
  }

  lookUpOperation(key: string): OperationLookUpOutcome {
    return this.#operations.get(key) ?? { _tag: "NotFound" };
  }

  /** The customer passes, or does not. */
  customerActs(): void {
    for (const charge of this.charges.values()) {
      if (charge.status !== "waiting") continue;
      if (this.#choices.chance(0.7)) this.#approve(charge);
      else charge.status = "declined";
    }
  }

  /** What was declined has gone through after all. */
  changesItsMind(): void {
    for (const charge of this.charges.values()) if (charge.status === "declined") this.#approve(charge);
  }

  /** An authorization that nobody captures lapses by itself. */
  lapses(): void {
    for (const charge of this.charges.values()) {
      if (charge.status === "authorized") charge.status = charge.captured > 0 ? "succeeded" : "released";
    }
  }
}
