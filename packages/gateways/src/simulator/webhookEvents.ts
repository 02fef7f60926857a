/** What the simulator tells of what has been recorded: an event's type and document; undefined where there is nothing to tell. */
import type { Charge } from "./Charge.ts";
import { chargeDocument, operationDocument } from "./documents.ts";
import type { Ledger, LedgerRecord } from "./Ledger.ts";

/** An operation is told with its own status, all else with that of the charge. */
const typeAndOperation = (record: LedgerRecord, charge: Charge) => {
  const ofOperation = (key: string) => {
    const operation = charge.operations.find((one) => one.key === key);
    return operation && { type: `${operation.kind}.${operation.status}`, operation };
  };
  switch (record.type) {
    case "operation":
      return ofOperation(record.operation.key);
    case "change":
      return record.change.type === "reversal" ? ofOperation(record.change.key) : { type: `charge.${charge.status}` };
    case "charge":
      return { type: `charge.${charge.status}` };
    default:
      return undefined;
  }
};

/** `url`: where the simulator listens. */
export const eventOf = (record: LedgerRecord, ledger: Pick<Ledger, "byId">, url: string) => {
  const id = record.type === "charge" ? record.charge.id : "chargeId" in record ? record.chargeId : undefined;
  const charge = id === undefined ? undefined : ledger.byId(id)?.now;
  const told = charge && typeAndOperation(record, charge);
  if (charge === undefined || told === undefined) return undefined;
  return {
    chargeId: charge.id,
    type: told.type,
    data: {
      charge: chargeDocument(charge, url),
      ...("operation" in told ? { operation: operationDocument(charge, told.operation) } : {}),
    },
  };
};
export type ToldEvent = NonNullable<ReturnType<typeof eventOf>>;
