/** The headers of a message of the log: a CloudEvent 1.0 in binary mode, and the commit's own random id. */
import { paymentKey } from "@aegispay/core/identity/Identity";
import type { NewCommit } from "./EventLog.ts";

export const commitIdHeader = "Aegis-Commit";

export const commitHeaders = (commit: NewCommit, commitId: string): ReadonlyArray<readonly [string, string]> => {
  const fixed: Array<readonly [string, string]> = [
    ["ce-specversion", "1.0"],
    ["ce-id", `${paymentKey(commit.payment)}/${commit.version}`],
    ["ce-type", `aegispay.payment.${commit.state}.v1`],
    ["ce-source", "aegispay"],
    ["ce-time", commit.at],
    [commitIdHeader, commitId],
  ];
  if (commit.traceparent !== undefined) fixed.push(["traceparent", commit.traceparent]);
  return fixed;
};
