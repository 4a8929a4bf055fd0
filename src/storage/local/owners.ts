/** Names of owners and groups for listings, from /etc/passwd and /etc/group; read once, when first asked for. */
import { readFileSync } from "node:fs";

/** Octets read of each file: beyond it numbers stand for names. 100 octets a line and 10,000 users fit. */
const MAX_DATABASE_OCTETS = 1024 * 1024;

const databases = new Map<string, ReadonlyMap<number, string>>();

export function ownerName(uid: number): string {
  return nameIn("/etc/passwd", uid);
}

export function groupName(gid: number): string {
  return nameIn("/etc/group", gid);
}

function nameIn(file: string, id: number): string {
  let names = databases.get(file);
  if (names === undefined) {
    names = readNames(file);
    databases.set(file, names);
  }
  return names.get(id) ?? String(id);
}

function readNames(file: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  try {
    for (const line of readFileSync(file, "latin1").slice(0, MAX_DATABASE_OCTETS).split("\n")) {
      const [name, , id] = line.split(":");
      // The first line of an id names it, as getpwuid(3) does; a space would break a listing's columns.
      if (name !== undefined && /^[!-~]+$/.test(name) && id !== undefined && /^\d+$/.test(id) && !names.has(Number(id)))
        names.set(Number(id), name);
    }
  } catch {
    // No such file on this host: numbers.
  }
  return names;
}
