/** When two commands are "the same": equal hash of the decoded body, defaults left out, keys sorted at every depth. */
import { hash } from "node:crypto";

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const sorted: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value).toSorted()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) sorted[key] = canonical(member);
  }
  return sorted;
};

/** SHA-256 of the canonical JSON, base64url, 43 characters. */
export const canonicalHash = (value: unknown): string => hash("sha256", JSON.stringify(canonical(value)), "base64url");
