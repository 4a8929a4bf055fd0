/** Names of owners and groups for listings, from /etc/passwd and /etc/group; read once, when first asked for. */
import { readFileSync } from "node:fs";

/** Octets read of each file: beyond it numbers stand for names. 100 octets a line and 10,000 users fit. */
const MAX_DATABASE_OCTETS = 1024 * 1024;

/** One file's names. A listing asks for each entry, and nearly always for the one of the entry before. */
class Names {
  readonly #file: string;
  #names: ReadonlyMap<number, string> | undefined;
  #lastId = -1;
  #lastName = "";

  constructor(file: string) {
    this.#file = file;
  }

  of(id: number): string {
    if (id === this.#lastId) return this.#lastName;
    this.#names ??= readNames(this.#file);
    this.#lastName = this.#names.get(id) ?? String(id);
    this.#lastId = id;
    return this.#lastName;
  }
}

const users = new Names("/etc/passwd");
const groups = new Names("/etc/group");

export function ownerName(uid: number): string {
  return users.of(uid);
}

export function groupName(gid: number): string {
  return groups.of(gid);
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
