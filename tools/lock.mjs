/**
 * One set-up at a time for this project, also after a `kill -9`.
 *
 * The lock folder holds files numbered 1, 2, 3 …; the highest one names the owner.
 * 1. A file appears complete (written aside, then linked) and only if its number is free: one process wins it.
 * 2. A number is taken only when the owner of the one before has released it or is gone.
 * 3. The highest file is never deleted, so numbers only grow. Whoever wins a number that is no longer the highest (it
 *    looked at an old listing) steps back.
 * A file that is moved away and put back, the usual way, could take a living owner's lock from it.
 */
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MILLIS = 100;
const HEARTBEAT_MILLIS = 2_000;
/** A pid may come back as another program, and means nothing on another host: then only the heartbeat tells. */
const SILENT_OWNER_MILLIS = 60_000;
/** Longer than all bounded steps of a set-up together. */
const WAIT_MILLIS = 20 * 60_000;

export const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

const highestIn = (folder) =>
  readdirSync(folder).reduce((highest, name) => (/^\d+$/.test(name) ? Math.max(highest, Number(name)) : highest), 0);

const ownerOf = (file) => {
  try {
    const { pids, host, released } = JSON.parse(readFileSync(file, "utf8"));
    if (released) return undefined;
    if (Date.now() - statSync(file).mtimeMs > SILENT_OWNER_MILLIS) return undefined;
    return host !== hostname() || pids.some(isAlive) ? { pids, host } : undefined;
  } catch {
    // Gone meanwhile, or cut short by a power failure: nobody's either way.
    return undefined;
  }
};

/** After a long stop (Ctrl-Z) the lock may be another's and our file gone. */
const beat = (file) => {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {}
};

/**
 * Runs `work` as the only process that holds the lock. `work` gets `coOwner(pid)`: as long as that child lives the lock
 * stays taken, even when we die, so nobody starts beside an orphan that still writes.
 */
export const withLock = async (folder, { onWait }, work) => {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `draft-${process.pid}`);
  const owner = { pids: [process.pid], host: hostname(), released: false };
  const writeOwner = (file) => {
    writeFileSync(draft, JSON.stringify(owner));
    if (file !== undefined) renameSync(draft, file);
  };

  const giveUpAt = Date.now() + WAIT_MILLIS;
  let announced = false;
  let held;
  while (held === undefined) {
    const highest = highestIn(folder);
    const other = highest === 0 ? undefined : ownerOf(join(folder, String(highest)));
    if (other !== undefined) {
      if (Date.now() > giveUpAt)
        throw new Error(`process ${other.pids[0]} on ${other.host} holds ${folder} and does not end`);
      if (!announced) onWait(other);
      announced = true;
      await sleep(POLL_MILLIS);
      continue;
    }
    const mine = join(folder, String(highest + 1));
    writeOwner();
    try {
      linkSync(draft, mine);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      continue;
    } finally {
      rmSync(draft, { force: true });
    }
    if (highestIn(folder) === highest + 1) held = mine;
    else rmSync(mine, { force: true });
  }

  for (const name of readdirSync(folder)) {
    const draftOf = /^draft-(\d+)$/.exec(name);
    const isOver = draftOf === null ? join(folder, name) !== held : !isAlive(Number(draftOf[1]));
    if (isOver) rmSync(join(folder, name), { force: true });
  }
  const heartbeat = setInterval(() => beat(held), HEARTBEAT_MILLIS);
  try {
    return await work((pid) => {
      owner.pids.push(pid);
      writeOwner(held);
    });
  } finally {
    clearInterval(heartbeat);
    owner.released = true;
    writeOwner(held);
  }
};
