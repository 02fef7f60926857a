/** A configuration file for the nodes of a cluster, in its own folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

let files = 0;

/** The cluster's simulator, whose breaker stays closed: for tests that are about other things, and break it often. */
export const withoutBreaker = ({ folder, simulator }: { readonly folder: string; readonly simulator: string }) =>
  gatewayFile(folder, {
    gateways: [{ name: "simulator", type: "simulator", url: simulator, resilience: { failureThreshold: 1_000_000 } }],
  });

/** What `startNodes` is to be given beside the node's name. */
export const gatewayFile = (folder: string, configuration: unknown): Readonly<Record<string, string>> => {
  const file = join(folder, `gateways-${++files}.json`);
  writeFileSync(file, JSON.stringify(configuration));
  return { AEGISPAY_GATEWAYS: file };
};
