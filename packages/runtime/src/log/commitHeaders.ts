/** The headers of a message of the log: a CloudEvent 1.0 in binary mode, and the commit's own random id. */
import { paymentKey } from "@aegispay/core/identity/Identity";
import { headerLine } from "../nats/wireHeaders.ts";
import type { NewCommit } from "./EventLog.ts";

export const commitIdHeader = "Aegis-Commit";

/** As lines of a header block. */
export const commitHeaders = (commit: NewCommit, commitId: string): string =>
  headerLine("ce-specversion", "1.0") +
  headerLine("ce-id", `${paymentKey(commit.payment)}/${commit.version}`) +
  headerLine("ce-type", `aegispay.payment.${commit.state}.v1`) +
  headerLine("ce-source", "aegispay") +
  headerLine("ce-time", commit.at) +
  headerLine(commitIdHeader, commitId) +
  (commit.traceparent === undefined ? "" : headerLine("traceparent", commit.traceparent));
