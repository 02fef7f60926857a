/**
 * Chance that is none: numbers drawn from a payment's own name. The same payment draws the same everywhere and for ever, so
 * that a replay decides as it was decided; over many payments they are spread evenly.
 */
import { hash } from "node:crypto";
import { paymentKey, type PaymentRef } from "../identity/Identity.ts";

/** Another attempt of the same payment draws anew. */
export const seedOf = (payment: PaymentRef, attempt: number): string => `${paymentKey(payment)}/${attempt}`;

const drawn = (seed: string, what: string): string => hash("sha256", JSON.stringify([seed, what]), "hex");

/** From 0 up to, not including, 1. `what`: what is drawn for. */
export const chance = (seed: string, what: string): number =>
  Number.parseInt(drawn(seed, what).slice(0, 12), 16) / 2 ** 48;

/** As many as are wanted, one after the other (mulberry32). */
export const chances = (seed: string, what: string): (() => number) => {
  let state = Number.parseInt(drawn(seed, what).slice(0, 8), 16);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
