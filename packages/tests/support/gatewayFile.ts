/** A configuration file for the nodes of a cluster, in its own folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

let files = 0;

/** What `startNodes` is to be given beside the node's name. */
export const gatewayFile = (folder: string, configuration: unknown): Readonly<Record<string, string>> => {
  const file = join(folder, `gateways-${++files}.json`);
  writeFileSync(file, JSON.stringify(configuration));
  return { AEGISPAY_GATEWAYS: file };
};
