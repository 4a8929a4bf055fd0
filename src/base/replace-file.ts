/** Changes a file as one step that others see whole or not at all, one writer at a time, for its owner's eyes. */
import { randomBytes } from "node:crypto";
import { type FileHandle, chown, link, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode } from "./system-code.ts";

/** Milliseconds that a writer waits for the one before it. A change takes some 5 ms. */
const LOCK_WAIT_MS = 10_000;
/** Milliseconds between two looks at the lock, and half as much again at random, so that waiters do not march in step. */
const LOCK_LOOK_MS = 15;
/** Milliseconds after which a lock whose holder cannot be asked (another host, a damaged file) counts as left behind. */
const LOCK_STALE_MS = 60_000;

/** Another writer would not let go. */
export class FileLocked extends Error {
  override readonly name = "FileLocked";
}

/**
 * Replaces the content of `file` by what `change` makes of it; "" for a file that is not there.
 * A new file has mode 0600. One that was there keeps its owner and what its group may read; others lose all rights.
 * A link is followed. Whatever `change` throws leaves the file alone.
 * @throws {FileLocked} after LOCK_WAIT_MS, or when the lock was taken away meanwhile.
 */
export async function replaceFile(file: string, change: (before: string) => string | Promise<string>): Promise<void> {
  const target = await realpath(file).catch((error: unknown) => orMissing(error, file));
  await using lock = await lockFile(`${target}.lock`);
  const before = await readFile(target, "utf8").catch((error: unknown) => orMissing(error, ""));
  const after = await change(before);
  if (after === before) return;
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeLike(target, { temporary, text: after });
    await lock.check();
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(target));
}

async function writeLike(target: string, { temporary, text }: { temporary: string; text: string }): Promise<void> {
  const known = await stat(target).catch((error: unknown) => orMissing(error, undefined));
  await using file = await open(temporary, "wx", 0o600);
  await file.writeFile(text);
  if (known !== undefined && (await keepsOwner(temporary, known))) await file.chmod((known.mode & 0o640) | 0o600);
  await file.sync();
}

/** Without the right to give files away the new one is ours; its group may then not read it either. */
async function keepsOwner(file: string, { uid, gid }: { uid: number; gid: number }): Promise<boolean> {
  try {
    await chown(file, uid, gid);
    return true;
  } catch {
    return false;
  }
}

/** The rename itself must outlive a power cut. Not every system can open a folder. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch {
    // The content is safe; only the moment at which it becomes the file's is not.
  } finally {
    await handle?.close();
  }
}

type Lock = AsyncDisposable & { check(): Promise<void> };

async function lockFile(path: string): Promise<Lock> {
  const token = JSON.stringify({ pid: process.pid, host: hostname(), id: randomBytes(8).toString("hex") });
  const until = performance.now() + LOCK_WAIT_MS;
  while (!(await isCreated(path, token))) {
    if (await isLeftBehind(path)) continue;
    if (performance.now() > until) {
      throw new FileLocked(`${path} is held by another process; remove it if nothing edits that file`);
    }
    await delay(LOCK_LOOK_MS * (1 + Math.random() / 2));
  }
  const isOurs = async (): Promise<boolean> => (await readToken(path)) === token;
  return {
    async check() {
      if (!(await isOurs())) throw new FileLocked(`${path} was taken away; nothing was written`);
    },
    async [Symbol.asyncDispose]() {
      if (await isOurs()) await rm(path, { force: true });
    },
  };
}

/** Written beside and linked, so that nobody ever reads a lock without its token. */
async function isCreated(path: string, token: string): Promise<boolean> {
  const own = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await using file = await open(own, "wx", 0o600);
    await file.writeFile(token);
    await link(own, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes the lock of a process that is gone. @returns whether there is reason to try again at once. */
async function isLeftBehind(path: string): Promise<boolean> {
  const token = await readToken(path);
  if (token === undefined) return true;
  if (!(await isStale(path, token))) return false;
  // Two waiters may both have come to this: what is moved away is looked at again, and put back if it is a new lock.
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, aside);
    if ((await readToken(aside)) !== token) await link(aside, path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "EEXIST") throw error;
  } finally {
    await rm(aside, { force: true });
  }
  return true;
}

async function isStale(path: string, token: string): Promise<boolean> {
  const pid = /^\{"pid":(\d{1,10}),"host":("(?:[^"\\]|\\.)*"),/.exec(token);
  if (pid !== null && pid[2] === JSON.stringify(hostname())) return !isRunning(Number(pid[1]));
  const known = await stat(path).catch((error: unknown) => orMissing(error, undefined));
  return known !== undefined && Date.now() - known.mtimeMs > LOCK_STALE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

async function readToken(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: unknown) => orMissing(error, undefined));
}

function orMissing<T>(error: unknown, value: T): T {
  if (systemCode(error) === "ENOENT") return value;
  throw error;
}
