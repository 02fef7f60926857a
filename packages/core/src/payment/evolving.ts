/** What every step of `evolve` does alike: moving on what each payment has, finding and changing one errand of it. */
import type { Attempt, Errand, Operation, Round } from "./Errand.ts";
import type { CommandRecord, CurrentEvent, EventOf } from "./PaymentEvent.ts";
import { attemptOf, type Existing, type ExistingPayment, type PaymentState, type Remembered } from "./PaymentState.ts";

const none: ReadonlyArray<never> = [];

/** The part every existing state has, moved on to the event. */
export const base = (state: ExistingPayment, event: CurrentEvent, ended = state.ended): Existing => ({
  order: state.order,
  version: event.version,
  updatedAt: event.at,
  ended,
  operations: state.operations,
  commands: state.commands,
});

export const initiated = (event: EventOf<"PaymentInitiated">): PaymentState => {
  const { create, commandId, message, hash, replyTo } = event.data;
  return {
    name: "INITIATED",
    order: { create, commandId, message, hash, createdAt: event.at, ...(replyTo === undefined ? {} : { replyTo }) },
    version: event.version,
    updatedAt: event.at,
    ended: none,
    operations: none,
    commands: none,
  };
};

/** A command is remembered once, for ever; a second one of the same id is no legal history. */
export const remembering = <State extends ExistingPayment>(
  state: State,
  command: CommandRecord | undefined,
  what: Pick<Remembered, "refusal" | "operation">,
): State | undefined => {
  if (command === undefined) return state;
  if (state.order.commandId === command.commandId) return undefined;
  if (state.commands.some(({ commandId }) => commandId === command.commandId)) return undefined;
  return { ...state, commands: [...state.commands, { ...command, ...what }] };
};

/** The payment with its own attempt, or an ended one, or an operation replaced by a changed one of the same number. */
export const withAttempt = <State extends ExistingPayment>(state: State, changed: Attempt): State =>
  attemptOf(state)?.number === changed.number
    ? { ...state, attempt: changed }
    : { ...state, ended: state.ended.map((attempt) => (attempt.number === changed.number ? changed : attempt)) };

export const withOperation = <State extends ExistingPayment>(state: State, changed: Operation): State => ({
  ...state,
  operations: state.operations.map((operation) => (operation.number === changed.number ? changed : operation)),
});

/** Any attempt of the payment, its own or an ended one. */
export const findAttempt = (state: ExistingPayment, number: number): Attempt | undefined => {
  const own = attemptOf(state);
  return own?.number === number ? own : state.ended.find((attempt) => attempt.number === number);
};

export const findOperation = (state: ExistingPayment, number: number): Operation | undefined =>
  state.operations.find((operation) => operation.number === number);

interface RoundData {
  readonly round: number;
  readonly action: "lookUp" | "resend";
  readonly due: string;
  readonly step?: number;
  readonly heldBack?: true;
}

/** Without its last announcement: what was held back is no try. */
export const untried = <Asked extends Errand>(errand: Asked): Asked => ({ ...errand, tries: errand.tries - 1 });

/** The errand with a further round; undefined where the round does not follow its last one. */
export const withRound = <Asked extends Errand>(errand: Asked, version: number, data: RoundData): Asked | undefined => {
  const { round: number, action, due, step = 0, heldBack } = data;
  if (number !== errand.lastRound + 1) return undefined;
  if (heldBack === true && (errand.status !== "UNKNOWN" || errand.round?.action !== "resend")) return undefined;
  const round: Round = { round: number, version, action, due, step };
  const { tries } = heldBack === true ? untried(errand) : errand;
  return { ...errand, lastRound: number, tries: tries + (action === "resend" ? 1 : 0), round };
};

/** An errand that has come to its end, and owes nothing: whatever was in question about it is answered. */
export const settled = <Asked extends Errand>(errand: Asked, status: "SUCCEEDED" | "FAILED"): Asked => {
  const { review: _review, isDoubtful: _isDoubtful, ...rest } = errand;
  return { ...rest, status, round: undefined } as Asked;
};
