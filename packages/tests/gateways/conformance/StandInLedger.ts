/**
 * What a stand-in has booked, in the gateway's own units: the judge of what was really charged. A key has one result for
 * ever, as the gateways keep it.
 */
export type ChargeStatus = "authorized" | "succeeded" | "declined" | "action" | "voided";

export interface StandInOperation {
  readonly id: string;
  readonly kind: "capture" | "void" | "refund";
  readonly key: string;
  readonly amount: number;
}

export interface StandInCharge {
  readonly id: string;
  readonly key: string;
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly manual: boolean;
  readonly token: string;
  createdSeconds: number;
  status: ChargeStatus;
  captured: number;
  refunded: number;
  readonly operations: Array<StandInOperation>;
}

export class StandInLedger {
  readonly charges: Array<StandInCharge> = [];
  #count = 0;
  /** What is booked instead of what was asked for. */
  amountShift = 0;

  id(prefix: string): string {
    this.#count += 1;
    return `${prefix}${String(this.#count).padStart(14, "0")}`;
  }

  open(
    asked: Pick<StandInCharge, "id" | "key" | "reference" | "amount" | "currency" | "manual" | "token">,
    status: ChargeStatus,
  ): StandInCharge {
    const amount = asked.amount + this.amountShift;
    const charge: StandInCharge = {
      ...asked,
      amount,
      createdSeconds: Math.floor(Date.now() / 1000),
      status,
      captured: status === "succeeded" ? amount : 0,
      refunded: 0,
      operations: [],
    };
    this.charges.push(charge);
    return charge;
  }

  /** The customer has passed 3-D Secure. */
  authenticate(charge: StandInCharge): void {
    charge.status = charge.manual ? "authorized" : "succeeded";
    charge.captured = charge.manual ? 0 : charge.amount;
  }

  byId = (id: string): StandInCharge | undefined => this.charges.find((charge) => charge.id === id);

  /** Undefined: there is not so much to move. */
  operate(charge: StandInCharge, kind: StandInOperation["kind"], key: string, asked: number | undefined, id: string) {
    const held = charge.status === "authorized" ? charge.amount : 0;
    const amount = asked ?? held;
    const limit = kind === "refund" ? charge.captured - charge.refunded : held;
    if (amount < 1 || amount > limit) return undefined;
    if (kind === "capture") {
      charge.captured = amount;
      charge.status = "succeeded";
    } else if (kind === "refund") charge.refunded += amount;
    else charge.status = "voided";
    const operation = { id, kind, key, amount };
    charge.operations.push(operation);
    return operation;
  }
}
