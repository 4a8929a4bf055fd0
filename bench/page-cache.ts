/**
 * What a timed cell reads is in memory before its clock starts, and memory for what it writes is at hand: a virtual machine
 * gives page cache and free pages back to its host by itself, and then whoever comes first would pay for all who come
 * after. Here the first GiB written after 5 idle seconds took 1 to 3 s, the next one 0.3.
 */
import { randomUUID } from "node:crypto";
import { closeSync, lstatSync, openSync, readSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Octets of one read: 1 GiB takes 0.1 s with it. */
const CHUNK = 262_144;

/** Reads files once, and of folders the entries with their inodes, as a listing does. @returns octets that were read. */
export function readOnce(root: string, paths: Iterable<string>): number {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let octets = 0;
  for (const path of paths) {
    const full = join(root, path);
    if (lstatSync(full).isDirectory()) for (const name of readdirSync(full)) lstatSync(join(full, name));
    else octets += readFile(full, buffer);
  }
  return octets;
}

/**
 * Has the host give the pages that will be written: a file is filled with as many octets and removed. It must be one of the
 * same file system: pages that were another process's own memory do not help (1.2 s for the next GiB, after a file 0.3).
 */
export function touchMemory(folder: string, octets: number): void {
  const path = join(folder, `touched-${randomUUID()}`);
  const chunk = Buffer.alloc(CHUNK, 1);
  const file = openSync(path, "wx");
  try {
    for (let left = octets; left > 0;) left -= writeSync(file, chunk, 0, Math.min(left, CHUNK));
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

function readFile(path: string, buffer: Buffer): number {
  const file = openSync(path, "r");
  try {
    let octets = 0;
    for (let got = readSync(file, buffer); got > 0; got = readSync(file, buffer)) octets += got;
    return octets;
  } finally {
    closeSync(file);
  }
}
