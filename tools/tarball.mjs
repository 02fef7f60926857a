import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const BLOCK_BYTES = 512;
const text = (header, from, to) => header.toString("latin1", from, to).split("\0")[0];

/**
 * The content of one regular file of a gzipped tar archive. Read here rather than by `tar`, which a machine that has
 * only Node need not have.
 */
export const fileFromTarball = async (archive, wanted) => {
  const tar = await promisify(gunzip)(archive);
  for (let at = 0; at + BLOCK_BYTES <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK_BYTES);
    const prefix = text(header, 345, 500);
    const name = prefix === "" ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
    const size = Number.parseInt(text(header, 124, 136).trim() || "0", 8);
    const isRegular = header[156] === 0 || header[156] === 0x30;
    const start = at + BLOCK_BYTES;
    if (isRegular && name.replace(/^\.\//, "") === wanted) {
      if (start + size > tar.length) throw new Error(`the archive ends within ${wanted}`);
      return tar.subarray(start, start + size);
    }
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw new Error(`the archive holds no ${wanted}`);
};
