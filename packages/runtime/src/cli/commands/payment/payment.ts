/** `aegispay payment`: create payments, look at them, change them. */
import { Command } from "effect/cli";
import { authenticate, cancel, capture, refund, voidRemainder } from "./changes.ts";
import { create } from "./create.ts";
import { events, show } from "./look.ts";
import { resolve } from "./resolve.ts";

export const payment = Command.make("payment").pipe(
  Command.withDescription("Create payments, look at them, change them"),
  Command.withSubcommands([create, show, events, capture, voidRemainder, refund, cancel, authenticate, resolve]),
);
