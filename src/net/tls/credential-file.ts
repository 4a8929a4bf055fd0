/** Reads one file of certificates or of a key, never more than a limit and never one that others may read the key of. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CredentialError } from "./credential-fault.ts";
import { PEM_FILE_LIMIT } from "./limits.ts";

/** Rights of a file's mode. */
const ANYONE = 0o007;
const GROUP = 0o070;
const ROOT = 0;

export type CredentialText = {
  readonly file: string;
  readonly octets: Buffer;
  /** `octets` as text; what is not ASCII is no part of PEM. */
  readonly text: string;
  readonly mode: number;
  readonly uid: number;
};

/** @throws {CredentialError} "missing", "unreadable", "not-a-file", "too-large", "empty". */
export async function readCredentialFile(file: string): Promise<CredentialText> {
  try {
    // A pipe in the file's place must not hold the start up; Windows has no such flag.
    await using handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    return await readWithin(file, handle);
  } catch (error) {
    if (error instanceof CredentialError) throw error;
    throw unreadable(file, error);
  }
}

async function readWithin(file: string, handle: FileHandle): Promise<CredentialText> {
  const stat = await handle.stat();
  if (!stat.isFile()) {
    const what = stat.isDirectory() ? "a folder" : "not a regular file";
    throw new CredentialError({ fault: "not-a-file", file, text: `this is ${what}; give the path of a PEM file` });
  }
  // The file may grow while it is read, so its size alone is no limit.
  const room = Buffer.alloc(PEM_FILE_LIMIT + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < room.length; length += count) {
    count = (await handle.read(room, length, room.length - length)).bytesRead;
  }
  if (length > PEM_FILE_LIMIT) {
    const text = `larger than ${PEM_FILE_LIMIT} octets, so this is no certificate or key; give the path of a PEM file`;
    throw new CredentialError({ fault: "too-large", file, text });
  }
  const octets = Buffer.from(room.subarray(0, length));
  const text = octets.toString("latin1");
  if (text.trim() === "") {
    throw new CredentialError({ fault: "empty", file, text: "the file is empty; put the PEM text into it" });
  }
  return { file, octets, text, mode: stat.mode, uid: stat.uid };
}

function unreadable(file: string, cause: unknown): CredentialError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new CredentialError({ fault: "missing", file, text: "there is no such file; check the path", cause });
  }
  if (code === "EISDIR") {
    const text = "this is a folder; give the path of a PEM file";
    return new CredentialError({ fault: "not-a-file", file, text, cause });
  }
  const why = code === "EACCES" || code === "EPERM" ? "no right to read it" : `cannot be read (${String(code)})`;
  const text = `${why}; give this user the right, or run the server as one that has it`;
  return new CredentialError({ fault: "unreadable", file, text, cause });
}

/**
 * Whether a private key is its owner's alone.
 * @returns a warning when a group may use it too, though the owner is we.
 * @throws {CredentialError} "key-readable-by-others".
 */
export function checkPrivacy({ file, mode, uid }: CredentialText): string | undefined {
  // Windows has no such bits and reports them all.
  if (process.platform === "win32") return undefined;
  const shown = `(mode ${(mode & 0o7777).toString(8).padStart(4, "0")})`;
  const cure = `run: chmod 600 ${shellWord(file)}`;
  if ((mode & ANYONE) !== 0) {
    const verb = (mode & 0o004) === 0 ? "change" : "read";
    const text = `anyone on this machine can ${verb} the private key ${shown}; ${cure}`;
    throw new CredentialError({ fault: "key-readable-by-others", file, text });
  }
  // A key that belongs to someone else is read by its group: then that right is what lets the server start.
  const isOurs = uid === process.getuid?.() || process.getuid?.() === ROOT;
  if ((mode & GROUP) === 0 || !isOurs) return undefined;
  return `${file}: the file's group can use the private key too ${shown}; unless that is meant, ${cure}`;
}

/** A path as a shell takes it: quoted when it holds more than plain characters. */
export function shellWord(path: string): string {
  return /^[\w./:@%+=,-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
