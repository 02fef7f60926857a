/** What stands on the disk of a deployment, byte for byte. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Undefined: a file was renamed or removed between listing and reading, as nats-server does with its `.tmp` files. */
const readAll = (folder: string): ReadonlyArray<readonly [file: string, text: string]> | undefined => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, readFileSync(file, "latin1")] as const);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
};

/** The files that hold a text, also with NULs between its characters. What moved while it was read is read anew, all of it. */
export const filesHolding = (folder: string, text: string): ReadonlyArray<string> => {
  for (;;) {
    const files = readAll(folder);
    if (files === undefined) continue;
    return files.filter(([, content]) => content.replaceAll("\0", "").includes(text)).map(([file]) => file);
  }
};
