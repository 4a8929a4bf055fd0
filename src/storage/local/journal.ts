/**
 * Finds the temporaries of processes that died, without a walk through the tree. Temporaries with names are rare: the
 * portable jail, file systems without O_TMPFILE, a resumed upload, and the moment between linkat and rename. Each is
 * written to this process's journal before it is made: a hidden file in a hidden folder of the root, one line each.
 * A sweep reads the journals of dead processes and removes what they name; its cost is theirs, not the tree's.
 * What a sweep misses (a folder renamed meanwhile, a root that we may not write to) goes when a listing meets it.
 */
import { closeSync, readFileSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { type ByteString, bytesOfText } from "../../base/bytes.ts";
import { systemCode } from "../../base/system-code.ts";
import { unless } from "./faults.ts";
import { fateOf } from "./hidden.ts";
import type { HostFolder, HostJail } from "./host.ts";

const FOLDER = bytesOfText(".ferryman-journal");
const FOLDER_PATH = "/.ferryman-journal";
const NAME = /^\.ferryman-journal\.(\d+)\.([0-9a-z-]+)\.(locked|plain)\.[0-9a-f]+$/;

/** Octets after which a journal is written anew with only the lines that still hold: some thousand uploads. */
const JOURNAL_OCTETS = 256 * 1024;
const JOURNAL_MODE = 0o600;
const JOURNAL_FOLDER_MODE = 0o700;

type OpenJournal = {
  readonly name: ByteString;
  readonly descriptor: number;
  readonly lock: Disposable;
  octets: number;
};

export class Journal implements Disposable {
  readonly #jail: HostJail;
  readonly #live = new Set<string>();
  #open: OpenJournal | undefined;

  constructor(jail: HostJail) {
    this.#jail = jail;
  }

  /** To be called before the temporary is made. Where no journal can be written the upload goes on without. */
  add(folderPath: string, name: ByteString): void {
    const line = lineOf(folderPath, name);
    this.#live.add(line);
    try {
      if (this.#open === undefined || this.#open.octets > JOURNAL_OCTETS) this.#renew();
      else this.#write(this.#open, line);
    } catch {
      // A full disk or a root without the right to write: listings clear up instead.
    }
  }

  /** The temporary is gone, or has its real name. */
  remove(folderPath: string, name: ByteString): void {
    this.#live.delete(lineOf(folderPath, name));
  }

  #renew(): void {
    const old = this.#open;
    using folder = this.#folder();
    const fresh = this.#create(folder);
    for (const line of this.#live) this.#write(fresh, line);
    this.#open = fresh;
    if (old !== undefined) drop(folder, old);
  }

  #folder(): HostFolder {
    using root = this.#jail.openFolder("/");
    unless(["EEXIST"], () => root.makeFolder(FOLDER, JOURNAL_FOLDER_MODE));
    return this.#jail.openFolder(FOLDER_PATH);
  }

  #create(folder: HostFolder): OpenJournal {
    for (;;) {
      const how = this.#jail.kind === "kernel" ? "locked" : "plain";
      const name = bytesOfText(`${FOLDER}.${process.pid}.${startOf("self")}.${how}.${randomBytes(8).toString("hex")}`);
      const descriptor = folder.create(name, JOURNAL_MODE);
      const lock = this.#jail.lock(descriptor);
      // A sweep may have come between: it took the journal for a dead one's and removed it.
      if (lock !== undefined && this.#jail.statOpen(descriptor).links > 0) return { name, descriptor, lock, octets: 0 };
      lock?.[Symbol.dispose]();
      closeSync(descriptor);
    }
  }

  #write(journal: OpenJournal, line: string): void {
    journal.octets += writeSync(journal.descriptor, Buffer.from(line, "latin1"));
  }

  [Symbol.dispose](): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    try {
      using folder = this.#jail.openFolder(FOLDER_PATH);
      drop(folder, open);
      using root = this.#jail.openFolder("/");
      root.removeFolder(FOLDER);
    } catch {
      // Others still have journals there.
    }
  }
}

function drop(folder: HostFolder, journal: OpenJournal): void {
  unless(["ENOENT"], () => folder.unlink(journal.name));
  journal.lock[Symbol.dispose]();
  closeSync(journal.descriptor);
}

function lineOf(folderPath: string, name: ByteString): string {
  return `${JSON.stringify([folderPath, name])}\n`;
}

/**
 * Removes the temporaries of dead processes that their journals name, or makes them kept uploads again.
 * @returns how many there were.
 */
export async function sweepJournals(jail: HostJail): Promise<number> {
  using folder = unless(["ENOENT"], () => jail.openFolder(FOLDER_PATH));
  if (folder === undefined) return 0;
  let count = 0;
  for await (const names of folder.names()) {
    for (const { name } of names) count += sweepJournal(jail, folder, name);
  }
  using root = jail.openFolder("/");
  unless(["ENOTEMPTY", "EEXIST", "ENOENT", "EACCES", "EPERM", "EROFS"], () => root.removeFolder(FOLDER));
  return count;
}

function sweepJournal(jail: HostJail, folder: HostFolder, name: ByteString): number {
  const [, pid, start, how] = NAME.exec(name) ?? [];
  const descriptor = pid === undefined ? undefined : unless(["ENOENT"], () => folder.open(name, "read"));
  if (descriptor === undefined) return 0;
  try {
    // The kernel's lock tells the truth across containers too; a process id only within one.
    using lock = how === "locked" && jail.kind === "kernel" ? jail.lock(descriptor) : undefined;
    const dead = how === "locked" && jail.kind === "kernel" ? lock !== undefined : !isAlive(Number(pid), start ?? "");
    if (!dead) return 0;
    const count = sweepLines(jail, readFileSync(descriptor, "latin1"));
    unless(["ENOENT"], () => folder.unlink(name));
    return count;
  } finally {
    closeSync(descriptor);
  }
}

function sweepLines(jail: HostJail, text: string): number {
  let count = 0;
  for (const line of text.split("\n")) {
    const entry = parseLine(line);
    if (entry === undefined) continue;
    using folder = unless(["ENOENT", "ENOTDIR", "ELOOP", "EACCES"], () => jail.openFolder(entry.folderPath));
    if (folder !== undefined && reclaim(folder, entry.name)) count += 1;
  }
  return count;
}

/** The last line of a process that died may be torn: then its temporary was not made yet. */
function parseLine(line: string): { folderPath: string; name: ByteString } | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (!Array.isArray(entry) || typeof entry[0] !== "string" || typeof entry[1] !== "string") return undefined;
    return { folderPath: entry[0], name: bytesOfText(entry[1]) };
  } catch {
    return undefined;
  }
}

/** Removes a temporary that lost its process; one that had been a kept upload becomes one again. */
export function reclaim(folder: HostFolder, name: ByteString): boolean {
  const fate = fateOf(name);
  if (fate === undefined) return false;
  try {
    if (fate.partName !== undefined) return putBack(folder, name, fate.partName);
    folder.unlink(name);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Gives a claimed part its name again; a newer part of that name wins. */
export function putBack(folder: HostFolder, name: ByteString, part: ByteString): boolean {
  try {
    folder.rename(name, [folder, part], true);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    folder.unlink(name);
  }
  return true;
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return false;
  }
  const now = startOf(pid);
  return now === UNKNOWN_START || start === UNKNOWN_START || now === start;
}

const UNKNOWN_START = "0";

/** When a process began, in clock ticks of this boot: with it a process id is never mistaken for another's. proc(5). */
function startOf(pid: number | "self"): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${ticks ?? UNKNOWN_START}-${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8)}`;
  } catch {
    return UNKNOWN_START;
  }
}
