/**
 * What one account may do with its files: the only door to storage, for every protocol alike. Each method states the
 * right that it needs, asks the rules at the path that it touches, then acts and tells the event stream.
 */
import type { Account, Right, Rights } from "../account/account.ts";
import type { ByteString } from "../base/bytes.ts";
import type { DigestName } from "../protocol/digest.ts";
import type { EntryTable } from "../protocol/entry-table.ts";
import { ROOT, type VirtualPath, parentPath, relativePath, resolvePath } from "../protocol/path.ts";
import {
  type Entry,
  type NamedEntry,
  type Octets,
  type Storage,
  StorageError,
  type TableTerms,
  type Times,
  type Upload,
} from "../storage/storage.ts";
import type { FerrymanEvent, FileChange, SessionFacts, Transferred } from "./events.ts";
import { type Digested, copyFile, digestFile } from "./file-work.ts";
import { Rules } from "./rules.ts";
import { Reading, TransferLog, Writing } from "./transfers.ts";
import { removeTree, sizeOfTree } from "./trees.ts";
import { type StoreHow, entryAt, openPlanned, openUnique, planUpload } from "./uploads.ts";

export type { StoreHow } from "./uploads.ts";

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
  readonly session: WorkspaceSession;
};

/** Whose workspace it is. */
export type WorkspaceSession = {
  /** What events of the session carry, as of now. */
  facts(): SessionFacts;
  emit(event: FerrymanEvent): void;
  /** Milliseconds since 1970 UTC. */
  now(): number;
};

/**
 * Rights over what a file holds and whether it stays: no other name of the same file may give more of them than the
 * old one did, or a rename would be the way around each rule (attack 29).
 */
const CONTENT_RIGHTS: readonly Right[] = ["read", "append", "overwrite", "delete", "meta"];

export class Workspace {
  readonly account: Account;
  readonly #storage: Storage;
  readonly #rules: Rules;
  readonly #session: WorkspaceSession;
  #umask = 0o022;

  constructor(services: WorkspaceServices) {
    this.account = services.account;
    this.#storage = services.storage;
    this.#rules = new Rules(services.account);
    this.#session = services.session;
  }

  /** For the perm fact: what may be done with this path. */
  rightsAt(path: VirtualPath): Rights {
    return this.#rules.rulingAt(path).rights;
  }

  /** As `rightsAt`, for the entries of one folder: what they share is judged once. */
  rightsIn(folder: VirtualPath): (child: VirtualPath) => Rights {
    const rulingAt = this.#rules.rulingsIn(folder);
    return (child) => rulingAt(child).rights;
  }

  /** As `rightsIn`, where they are the same for all entries whatever their names; else undefined. */
  rightsOfAllIn(folder: VirtualPath): Rights | undefined {
    return this.#rules.rulingOfAllIn(folder)?.rights;
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

  /**
   * Whether `path` is a folder that may be gone to: any right there or, by a rule, below it will do. So one can go to
   * a folder that takes uploads only, and through one that shows nothing.
   * @throws {StorageError} "not-a-folder"
   */
  async enter(path: VirtualPath): Promise<void> {
    if (!this.#rules.mayEnter(path)) this.demand("list", path, "enter");
    const { kind } = await this.#storage.stat(path);
    if (kind !== "directory") throw new StorageError("not-a-folder", path);
  }

  /** Whether something is there that this account may know of. Never refused. */
  async exists(path: VirtualPath): Promise<boolean> {
    if (!this.may("read", path) && !this.may("list", path)) return false;
    return this.#storage.stat(path).then(
      () => true,
      () => false,
    );
  }

  /** Needs `list`. */
  list(path: VirtualPath): AsyncIterable<readonly Entry[]> {
    this.demand("list", path, "list");
    return this.#storage.list(path);
  }

  /** As `list`, with names and kinds alone. Needs `list`. */
  names(path: VirtualPath): AsyncIterable<readonly NamedEntry[]> {
    this.demand("list", path, "list");
    return this.#storage.names?.(path) ?? this.#storage.list(path);
  }

  /** As `list`, in columns, where the storage can. Needs `list`. */
  table(path: VirtualPath, terms: TableTerms): AsyncIterable<EntryTable> | undefined {
    this.demand("list", path, "list");
    return this.#storage.table?.(path, terms);
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
   * Needs `write` for a new name, `overwrite` besides for a file that is there, `append` to go on from one; see
   * `planUpload`.
   * @throws {StorageError} "exists" when STOU finds no free name.
   */
  async openWrite(path: VirtualPath, how: StoreHow, { type }: { type: "ascii" | "image" }): Promise<Writing> {
    const opened =
      how.kind === "unique"
        ? await openUnique(this, this.#storage, { wish: path, mode: this.#fileMode })
        : { path, upload: await this.#openPlanned(path, how) };
    const { offset } = opened.upload;
    const log = this.#log({ direction: "upload", path: opened.path, offset, representation: type });
    return new Writing(opened.upload, log, opened.path);
  }

  /** Of a listing that goes over a data connection; dispose it on every way out. Needs nothing: `list` asks. */
  logListing(path: VirtualPath): TransferLog {
    return this.#log({ direction: "listing", path, offset: 0, representation: "ascii" });
  }

  /** Octets of an interrupted upload; undefined when there is none, or none that this account could go on with. */
  async interrupted(path: VirtualPath): Promise<number | undefined> {
    if (!this.may("write", path)) return undefined;
    return this.#storage.interrupted(path);
  }

  /** RNFR: whether it is there and may be moved. Needs `rename`, and no rule may take a right below a folder. */
  async statForRename(path: VirtualPath): Promise<Entry> {
    this.demand("rename", path, "rename");
    if (path === ROOT) throw new StorageError("is-root", path);
    const entry = await this.#storage.stat(path, "keep");
    if (entry.kind === "directory") this.#demandBelow(path, this.rightsAt(path));
    return entry;
  }

  /**
   * Needs `rename` at both paths, and `overwrite` to replace a file at `to`. Refused where the new name would give a
   * right over the content that the old one does not, or that some rule below either name takes (attack 29).
   */
  async rename(from: VirtualPath, to: VirtualPath): Promise<void> {
    const { kind } = await this.statForRename(from);
    this.demand("rename", to, "rename");
    for (const right of CONTENT_RIGHTS) if (this.may(right, to)) this.demand(right, from, "rename");
    if (kind === "directory") {
      this.#demandBelow(from, this.rightsAt(to));
      this.#demandBelow(to, this.rightsAt(to));
    }
    const replaces = this.may("overwrite", to);
    if (!replaces && (await entryAt(this.#storage, to)) !== undefined) this.demand("overwrite", to, "rename");
    await this.#storage.rename(from, to, replaces ? "replace" : "refuse");
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

  /** Needs `list` for every folder and `delete` for everything in it; asked before the first one goes. */
  async removeTree(path: VirtualPath, signal: AbortSignal): Promise<void> {
    this.demand("delete", path, "delete");
    // Said before all that is in it is gone.
    if (path === ROOT) throw new StorageError("is-root", path);
    await removeTree(this, path, signal);
  }

  /** Octets of all files below a folder that this account may list. Needs `list`. */
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

  /**
   * Needs `site` and `write`. The jail judges `target` whenever the link is followed. Under folder rules there are no
   * new links: each would be a second name, which the rules do not know, for what they name (attack 29).
   */
  async makeLink(path: VirtualPath, target: ByteString): Promise<void> {
    this.demand("site", path, "link");
    this.demand("write", path, "link");
    if (this.#rules.dependOnPath) this.#deny("folders:link", { right: "site", path, verb: "link" });
    if (this.#storage.makeLink === undefined) throw new StorageError("unsupported", path);
    // Stored as the way from here within the root: other programs that follow it on the host do not leave the root either.
    const folder = parentPath(path);
    const inside = relativePath(folder, resolvePath(folder, target));
    await this.#storage.makeLink(path, inside);
    this.#changed({ kind: "linked", path, target: inside });
  }

  /** Needs `read` at `from` and what an upload needs at `to`; the copy appears whole or not at all. */
  async copy(from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<void> {
    this.demand("read", from, "copy");
    await copyFile(this.#storage, { from, open: async () => this.#openPlanned(to, { kind: "store" }), signal });
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

  get #fileMode(): number {
    return 0o666 & ~this.#umask;
  }

  async #openPlanned(path: VirtualPath, how: Exclude<StoreHow, { kind: "unique" }>): Promise<Upload> {
    const plan = await planUpload(this, this.#storage, { path, how });
    return openPlanned(this, this.#storage, { path, plan, mode: this.#fileMode });
  }

  #log(facts: Pick<Transferred, "direction" | "path" | "offset" | "representation">): TransferLog {
    const started = this.#session.now();
    const { anonymous } = this.account;
    return new TransferLog((ended) => {
      const at = this.#session.now();
      const milliseconds = at - started;
      this.#session.emit({
        ...this.#session.facts(),
        type: "transfer",
        ...facts,
        milliseconds,
        anonymous,
        ...ended,
        at,
      });
    });
  }

  /** For what moves a folder with all that is in it: no rule below it may take one of `rights`. */
  #demandBelow(folder: VirtualPath, rights: Rights): void {
    const missing = this.#rules.missingBelow(folder, rights);
    if (missing === undefined) return;
    const { id, right } = missing;
    this.#deny(`${id}:${right}`, { right, path: folder, verb: "rename" });
  }

  #deny(rule: string, { right, path, verb }: { right: Right; path: VirtualPath; verb: string }): never {
    this.#session.emit({ ...this.#session.facts(), type: "refused", rule, verb, path, at: this.#session.now() });
    throw new Denied(rule, right, path);
  }

  #changed(change: FileChange): void {
    this.#session.emit({ ...this.#session.facts(), type: "file.changed", change, at: this.#session.now() });
  }
}
