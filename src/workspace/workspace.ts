/**
 * What one account may do with its files: the only door to storage, for every protocol alike. Each method states the
 * right that it needs, asks the rules at the path that it touches, then acts and tells the event stream.
 */
import { randomBytes } from "node:crypto";
import type { Account, Right, Rights } from "../account/account.ts";
import type { ByteString } from "../base/bytes.ts";
import type { DigestName } from "../protocol/digest.ts";
import { joined } from "../protocol/octets.ts";
import { type VirtualPath, baseName, childPath, parentPath } from "../protocol/path.ts";
import {
  type Entry,
  type Octets,
  type Storage,
  StorageError,
  type Times,
  type UploadIntent,
} from "../storage/storage.ts";
import type { FerrymanEvent, FileChange, SessionFacts, Transferred } from "./events.ts";
import { type Digested, copyFile, digestFile } from "./file-work.ts";
import { Rules } from "./rules.ts";
import { Reading, TransferLog, Writing } from "./transfers.ts";
import { removeTree, sizeOfTree } from "./trees.ts";

/** A right is missing: `rule` is the id that the client is told. */
export class Denied extends Error {
  override readonly name = "Denied";
  readonly rule: string;
  readonly right: Right;
  readonly path: VirtualPath;

  constructor(rule: string, right: Right, path: VirtualPath) {
    super(`rule ${rule} refuses ${right}`);
    this.rule = rule;
    this.right = right;
    this.path = path;
  }
}

export type WorkspaceServices = {
  readonly account: Account;
  readonly storage: Storage;
  /** What events of the session carry, as of now. */
  readonly facts: () => SessionFacts;
  readonly emit: (event: FerrymanEvent) => void;
  /** Milliseconds since 1970 UTC. */
  readonly now?: () => number;
};

/** How an upload meets what is there, as a client asks for it. */
export type StoreHow =
  /** STOR: a new file, or in place of one. */
  | { readonly kind: "store" }
  /** REST and STOR: from this octet on. */
  | { readonly kind: "resume"; readonly offset: number }
  /** APPE. */
  | { readonly kind: "append" }
  /** STOU: under a name that is free. */
  | { readonly kind: "unique" };

/** Names of STOU tried in order before random ones: `name`, `name.1` … */
const NUMBERED_NAMES = 100;
/** Random names of STOU tried after those; 64 bits each, so the first is free unless something is badly wrong. */
const RANDOM_NAMES = 3;

export class Workspace {
  readonly account: Account;
  readonly #storage: Storage;
  readonly #rules: Rules;
  readonly #services: WorkspaceServices;
  readonly #now: () => number;
  #umask = 0o022;

  constructor(services: WorkspaceServices) {
    this.account = services.account;
    this.#storage = services.storage;
    this.#rules = new Rules(services.account);
    this.#services = services;
    this.#now = services.now ?? Date.now;
  }

  /** For the perm fact: what may be done with this path. */
  rightsAt(path: VirtualPath): Rights {
    return this.#rules.rulingAt(path).rights;
  }

  may(right: Right, path: VirtualPath): boolean {
    return this.rightsAt(path).has(right);
  }

  /** The choke point. @throws {Denied} when the rules do not grant `right` at `path`. @param verb for the log. */
  demand(right: Right, path: VirtualPath, verb: string): void {
    const ruling = this.#rules.rulingAt(path);
    if (!ruling.rights.has(right)) this.#deny(`${ruling.id}:${right}`, { right, path, verb });
  }

  /** Needs `list` or `read`. */
  async stat(path: VirtualPath, links: "follow" | "keep" = "follow"): Promise<Entry> {
    if (!this.may("read", path)) this.demand("list", path, "stat");
    return this.#storage.stat(path, links);
  }

  /** Whether something is there that this account may know of. */
  async exists(path: VirtualPath): Promise<boolean> {
    return this.stat(path).then(
      () => true,
      () => false,
    );
  }

  /** Needs `list`. */
  list(path: VirtualPath): AsyncIterable<readonly Entry[]> {
    this.demand("list", path, "list");
    return this.#storage.list(path);
  }

  /** Needs `read`. @throws {StorageError} "bad-offset" for an offset beyond the end. */
  async openRead(path: VirtualPath, { offset, type }: { offset: number; type: "ascii" | "image" }): Promise<Reading> {
    this.demand("read", path, "read");
    const reader = await this.#storage.openRead(path);
    if (offset > reader.entry.size) {
      await reader[Symbol.asyncDispose]();
      throw new StorageError("bad-offset", path);
    }
    return new Reading(reader, this.#log({ direction: "download", path, offset, representation: type }));
  }

  /** The front of a small file, for messages; not logged. Needs `read`. @returns the count of octets. */
  async peek(path: VirtualPath, into: Buffer): Promise<number> {
    this.demand("read", path, "read");
    await using reader = await this.#storage.openRead(path);
    return reader.read(into, 0);
  }

  /**
   * Needs `write` for a new name, `overwrite` besides for a file that is there, `append` to go on from one.
   * @throws {StorageError} "exists" when STOU finds no free name.
   */
  async openWrite(path: VirtualPath, how: StoreHow, { type }: { type: "ascii" | "image" }): Promise<Writing> {
    if (how.kind === "unique") return this.#openUnique(path, type);
    const intent = await this.#intentOf(path, how);
    return this.#openUpload(path, intent, type);
  }

  /** Octets of an interrupted upload; undefined when there is none. */
  async interrupted(path: VirtualPath): Promise<number | undefined> {
    if (!this.may("write", path)) return undefined;
    return this.#storage.interrupted(path);
  }

  /** RNFR: whether it is there and may be moved. */
  async statForRename(path: VirtualPath): Promise<void> {
    this.demand("rename", path, "rename");
    const { kind } = await this.#storage.stat(path, "keep");
    if (kind === "directory") this.#demandBelow("rename", path, "rename");
  }

  /** Needs `rename` at both paths, and `overwrite` to replace a file at `to`. */
  async rename(from: VirtualPath, to: VirtualPath): Promise<void> {
    await this.statForRename(from);
    this.demand("rename", to, "rename");
    await this.#storage.rename(from, to, this.may("overwrite", to) ? "replace" : "refuse");
    this.#changed({ kind: "renamed", path: from, to });
  }

  /** Needs `delete`. */
  async remove(path: VirtualPath): Promise<void> {
    this.demand("delete", path, "delete");
    await this.#storage.remove(path);
    this.#changed({ kind: "removed", path });
  }

  /** Needs `mkdir`. */
  async makeDirectory(path: VirtualPath): Promise<void> {
    this.demand("mkdir", path, "mkdir");
    await this.#storage.makeDirectory(path, 0o777 & ~this.#umask);
    this.#changed({ kind: "folder-made", path });
  }

  /** Needs `delete`. */
  async removeDirectory(path: VirtualPath): Promise<void> {
    this.demand("delete", path, "delete");
    await this.#storage.removeDirectory(path);
    this.#changed({ kind: "folder-removed", path });
  }

  /** Needs `list` and `delete` for every folder and file in it; what may not be removed stops it there. */
  async removeTree(path: VirtualPath, signal: AbortSignal): Promise<void> {
    this.demand("delete", path, "delete");
    await removeTree(this, path, signal);
  }

  /** Octets of all files below a folder that this account may list. */
  async sizeOfTree(path: VirtualPath, signal: AbortSignal): Promise<bigint> {
    return sizeOfTree(this, path, signal);
  }

  /** Needs `meta`. */
  async setTimes(path: VirtualPath, times: Times): Promise<void> {
    this.demand("meta", path, "set times");
    await this.#storage.setTimes(path, times);
    this.#changed({ kind: "times-set", path });
  }

  /** Needs `meta`. @param mode permission bits. */
  async setMode(path: VirtualPath, mode: number): Promise<void> {
    this.demand("meta", path, "set mode");
    if (this.#storage.setMode === undefined) throw new StorageError("unsupported", path);
    await this.#storage.setMode(path, mode);
    this.#changed({ kind: "mode-set", path, mode });
  }

  /** Needs `site` and `write`. The jail judges `target` whenever the link is followed. */
  async makeLink(path: VirtualPath, target: ByteString): Promise<void> {
    this.demand("site", path, "link");
    this.demand("write", path, "link");
    if (this.#storage.makeLink === undefined) throw new StorageError("unsupported", path);
    await this.#storage.makeLink(path, target);
    this.#changed({ kind: "linked", path, target });
  }

  /** Needs `read` at `from` and what an upload needs at `to`; the copy appears whole or not at all. */
  async copy(from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<void> {
    this.demand("read", from, "copy");
    const intent = await this.#intentOf(to, { kind: "store" });
    await copyFile(this.#storage, { from, to, intent, signal, mode: 0o666 & ~this.#umask });
    this.#changed({ kind: "copied", path: from, to });
  }

  /** Octets that fit; undefined where the storage does not know. Needs `list` or `write`. */
  async available(path: VirtualPath): Promise<Octets | undefined> {
    if (!this.may("write", path)) this.demand("list", path, "ask for space");
    return this.#storage.available?.(path);
  }

  /** The digest of octets `start` up to, not with, `end`. Needs `read`. */
  async hash(
    path: VirtualPath,
    wanted: { name: DigestName; start: number; end: number | undefined; signal: AbortSignal },
  ): Promise<Digested> {
    this.demand("read", path, "hash");
    return digestFile(this.#storage, path, wanted);
  }

  /** Permission bits that new files and folders do not get. */
  get umask(): number {
    return this.#umask;
  }

  setUmask(mask: number): void {
    this.#umask = mask;
  }

  async #intentOf(path: VirtualPath, how: Exclude<StoreHow, { kind: "unique" }>): Promise<UploadIntent> {
    this.demand("write", path, "write");
    const taken = await this.#isTaken(path);
    if (how.kind !== "store") {
      if (taken) this.demand("append", path, "append");
      return how;
    }
    if (!taken) return this.may("overwrite", path) ? { kind: "replace" } : { kind: "create" };
    this.demand("overwrite", path, "overwrite");
    return { kind: "replace" };
  }

  async #isTaken(path: VirtualPath): Promise<boolean> {
    try {
      await this.#storage.stat(path, "keep");
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.fault === "not-found") return false;
      throw error;
    }
  }

  async #openUnique(wish: VirtualPath, type: "ascii" | "image"): Promise<Writing> {
    this.demand("write", wish, "write");
    for (const path of uniqueNames(wish)) {
      try {
        return await this.#openUpload(path, { kind: "create" }, type);
      } catch (error) {
        if (!(error instanceof StorageError) || error.fault !== "exists") throw error;
      }
    }
    throw new StorageError("exists", wish);
  }

  async #openUpload(path: VirtualPath, intent: UploadIntent, type: "ascii" | "image"): Promise<Writing> {
    const upload = await this.#storage.openWrite(path, intent, { mode: 0o666 & ~this.#umask });
    return new Writing(
      upload,
      this.#log({ direction: "upload", path, offset: upload.offset, representation: type }),
      path,
    );
  }

  #log(facts: Pick<Transferred, "direction" | "path" | "offset" | "representation">): TransferLog {
    const started = this.#now();
    const { anonymous } = this.account;
    return new TransferLog((ended) => {
      const at = this.#now();
      const milliseconds = at - started;
      this.#services.emit({
        ...this.#services.facts(),
        type: "transfer",
        ...facts,
        milliseconds,
        anonymous,
        ...ended,
        at,
      });
    });
  }

  /** For what moves a folder with all that is in it: no rule below may be dodged (attack 29). */
  #demandBelow(right: Right, path: VirtualPath, verb: string): void {
    const below = this.#rules.rulingBelow(path, right);
    if (below !== undefined) this.#deny(`${below.id}:${right}`, { right, path, verb });
  }

  #deny(rule: string, { right, path, verb }: { right: Right; path: VirtualPath; verb: string }): never {
    this.#services.emit({ ...this.#services.facts(), type: "refused", rule, verb, path, at: this.#now() });
    throw new Denied(rule, right, path);
  }

  #changed(change: FileChange): void {
    this.#services.emit({ ...this.#services.facts(), type: "file.changed", change, at: this.#now() });
  }
}

function* uniqueNames(wish: VirtualPath): Generator<VirtualPath, void, void> {
  const folder = parentPath(wish);
  const name = baseName(wish);
  yield wish;
  for (let number = 1; number < NUMBERED_NAMES; number++) yield childPath(folder, joined(`${name}.${number}`));
  for (let turn = 0; turn < RANDOM_NAMES; turn++) {
    yield childPath(folder, joined(`${name}.${randomBytes(8).toString("hex")}`));
  }
}
