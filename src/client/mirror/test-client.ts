/** A server in memory behind the client's interface, for tests of the mirror: what it lists, keeps and refuses is set by hand. */
import { createHash } from "node:crypto";
import { fstatSync, readSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { bytesOfText } from "../../base/bytes.ts";
import { FtpError, type FtpErrorCode, type FtpReply } from "../errors.ts";
import { LocalFile } from "../local-file.ts";
import { PartFile, partPath } from "../part-file.ts";
import type {
  Client,
  Copied,
  DownloadOptions,
  Entry,
  EntryTime,
  EntryType,
  HashResult,
  Listing,
  ServerInfo,
  Session,
  Sink,
  Source,
  Transferred,
  UploadOptions,
} from "../types.ts";
import { nameOf, parentOf } from "./side.ts";

export type Node = {
  type: EntryType;
  data: Buffer;
  ms: number;
  mode: number | undefined;
  target: string | undefined;
};

type Fault = { readonly code: FtpErrorCode; readonly octets: number; times: number; readonly retryable: boolean };

const INFO: ServerInfo = {
  host: "server.test",
  port: 21,
  address: "192.0.2.1",
  greeting: "ready",
  system: "UNIX",
  features: new Map(),
  tls: undefined,
  home: "/",
  user: "ann",
};

async function nowhere(): Promise<never> {
  return await Promise.reject(new Error("a mirror stays at the root"));
}

/** 2024-05-06 07:08:09 UTC: what `put` gives a file that is not told another time. */
export const THEN = Date.UTC(2024, 4, 6, 7, 8, 9);

export class TestClient implements Client {
  readonly info = INFO;
  /** Every call as `verb path`. */
  readonly calls: string[] = [];
  readonly nodes = new Map<string, Node>();
  readonly #children = new Map<string, Set<string>>();
  /** By `verb path`. */
  readonly #faults = new Map<string, Fault>();
  /** As LIST tells them. */
  precision: EntryTime["precision"] = "second";
  zone: EntryTime["zone"] = "utc";
  hasHashes = true;
  hasTimes = true;
  hasModes = true;
  hasLinks = true;
  listsModes = true;
  /** Whether an upload may go on where another ended. */
  resumes = true;
  /** Lines that no parser understands, in every listing. */
  oddLines: readonly string[] = [];
  /** Names that a listing brings besides. */
  extraNames: readonly string[] = [];
  running = 0;
  mostRunning = 0;

  constructor() {
    this.#set("/", { type: "directory", data: Buffer.alloc(0), ms: THEN, mode: 0o755, target: undefined });
  }

  put(path: string, data: string | Buffer, { ms = THEN, mode = 0o644 }: { ms?: number; mode?: number } = {}): void {
    this.folder(parentOf(path));
    this.#set(path, { type: "file", data: Buffer.from(data), ms, mode, target: undefined });
  }

  folder(path: string, mode = 0o755): void {
    if (path === "" || this.nodes.has(path)) return;
    this.folder(parentOf(path));
    this.#set(path, { type: "directory", data: Buffer.alloc(0), ms: THEN, mode, target: undefined });
  }

  link(path: string, target: string): void {
    this.folder(parentOf(path));
    this.#set(path, { type: "link", data: Buffer.alloc(0), ms: THEN, mode: 0o777, target });
  }

  /** Fails the next calls. @param octets that a transfer moves before. */
  fail(call: string, code: FtpErrorCode, { octets = 0, times = 1, retryable = false } = {}): void {
    this.#faults.set(call, { code, octets, times, retryable });
  }

  text(path: string): string | undefined {
    return this.nodes.get(path)?.data.toString();
  }

  /** All paths but the root, in order. */
  paths(): string[] {
    return [...this.nodes.keys()].filter((path) => path !== "/").toSorted();
  }

  list(folder = "/"): Listing {
    const warnings: string[] = [];
    const entries = async function* (this: TestClient): AsyncGenerator<Entry> {
      this.#called("list", folder);
      if (this.nodes.get(folder)?.type !== "directory") throw refused("NOT_FOUND", `list ${folder}`);
      await Promise.resolve();
      for (const name of this.#children.get(folder) ?? []) yield this.#entry(folder, name);
      for (const name of this.extraNames) yield { ...named(name, folder), type: "file", size: 1 };
      warnings.push(...this.oddLines);
    }.bind(this);
    return {
      warnings,
      [Symbol.asyncIterator]: entries,
      toArray: async () => await Array.fromAsync(entries()),
    };
  }

  async stat(path: string): Promise<Entry> {
    this.#called("stat", path);
    await Promise.resolve();
    const node = this.#followed(path);
    const { precision, zone } = this;
    this.precision = "second";
    this.zone = "utc";
    try {
      return this.#entryOf(path, node);
    } finally {
      this.precision = precision;
      this.zone = zone;
    }
  }

  async exists(path: string): Promise<false | EntryType> {
    this.calls.push(`exists ${path}`);
    await Promise.resolve();
    return this.nodes.get(path)?.type ?? false;
  }

  async download(path: string, to: Sink, options: DownloadOptions = {}): Promise<Transferred> {
    return await this.#busy(async () => {
      const fault = this.#fault("download", path);
      const { data } = this.#followed(path);
      if (typeof to !== "string") throw new Error("a path is what a mirror gives");
      const { size, modified } = options.entry ?? {};
      const url = `${INFO.host}:${INFO.port}${path}`;
      await using part = await PartFile.continued(partPath(to, { url, size, modifiedMs: modified?.ms }), to);
      const have = options.resume === true ? await part.size() : 0;
      await part.cutTo(have);
      const end = fault === undefined ? data.length : Math.min(have + fault.octets, data.length);
      await part.file.write(data.subarray(have, end));
      options.onProgress?.({ bytes: end - have, resumedAt: have, total: data.length });
      if (fault !== undefined) {
        if (options.resume !== true || end === 0) await part.remove();
        throw faultOf(fault, `download ${path}`);
      }
      if (size !== undefined && size !== (await part.size())) throw refused("MISMATCH", `download ${path}`, true);
      await part.publish(this.#timeFor(path, options));
      this.calls.push(`download ${path}${have > 0 ? ` from ${have}` : ""}`);
      return transferred(end - have, have);
    });
  }

  #timeFor(path: string, { keepTime, entry }: DownloadOptions): number | undefined {
    if (keepTime === false) return undefined;
    if (keepTime !== "exact" || entry?.modified?.precision === "second") return entry?.modified?.ms;
    this.calls.push(`MDTM ${path}`);
    return this.#followed(path).ms;
  }

  async upload(from: Source, path: string, options: UploadOptions = {}): Promise<Transferred> {
    return await this.#busy(async () => {
      const fault = this.#fault("upload", path);
      const data = contentOf(from);
      if (this.nodes.get(parentOf(path) || "/")?.type !== "directory") throw refused("NOT_FOUND", `upload ${path}`);
      const old = this.nodes.get(path);
      const before = options.mode === "resume" && old !== undefined ? old.data : Buffer.alloc(0);
      const have = before.length;
      if (have > 0 && !this.resumes) throw noAppend(path);
      const end = fault === undefined ? data.length : Math.min(have + fault.octets, data.length);
      const sent = Buffer.concat([before, data.subarray(have, end)]);
      this.#set(path, { type: "file", data: sent, ms: Date.now(), mode: old?.mode ?? 0o644, target: undefined });
      options.onProgress?.({ bytes: end - have, resumedAt: have, total: data.length });
      if (fault !== undefined) throw faultOf(fault, `upload ${path}`);
      this.calls.push(`upload ${path}${have > 0 ? ` from ${have}` : ""}`);
      return transferred(end - have, have);
    });
  }

  async remove(path: string): Promise<void> {
    this.#called("remove", path);
    await Promise.resolve();
    const node = this.nodes.get(path);
    if (node === undefined || node.type === "directory") throw refused("NOT_FOUND", `remove ${path}`);
    this.#unset(path);
  }

  async rmdir(path: string): Promise<void> {
    this.#called("rmdir", path);
    await Promise.resolve();
    if ((this.#children.get(path)?.size ?? 0) > 0) throw refused("DENIED", `${path} is not empty`);
    this.#unset(path);
  }

  async mkdir(path: string): Promise<void> {
    this.#called("mkdir", path);
    await Promise.resolve();
    if (this.nodes.has(path)) throw refused("EXISTS", path);
    this.folder(path);
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#called("chmod", path);
    await Promise.resolve();
    if (!this.hasModes) throw refused("UNSUPPORTED", "chmod");
    this.#node(path).mode = mode;
  }

  async utime(path: string, modified: Date): Promise<string> {
    this.#called("utime", path);
    await Promise.resolve();
    if (!this.hasTimes) throw refused("UNSUPPORTED", "utime");
    this.#node(path).ms = modified.getTime();
    return "MFMT";
  }

  async hash(path: string): Promise<HashResult | undefined> {
    this.#called("hash", path);
    await Promise.resolve();
    if (!this.hasHashes) return undefined;
    return { algorithm: "SHA-256", hash: createHash("sha256").update(this.#node(path).data).digest("hex") };
  }

  async raw(line: string): Promise<FtpReply> {
    this.calls.push(line);
    await Promise.resolve();
    const [, target = "", path = ""] = /^SITE SYMLINK (\S+) (.+)$/.exec(line) ?? [];
    if (!this.hasLinks || path === "") return { code: 502, lines: ["No."] };
    this.link(path, target);
    return { code: 200, lines: ["Done."] };
  }

  walk(): AsyncIterable<Entry> {
    throw new Error("a mirror does not walk");
  }
  glob(): AsyncIterable<Entry> {
    throw new Error("a mirror has its own filter");
  }
  open(): Readable {
    throw new Error("a mirror downloads");
  }
  create(): Writable {
    throw new Error("a mirror uploads");
  }
  async read(): Promise<Buffer> {
    return await Promise.reject(new Error("a mirror downloads"));
  }
  async write(): Promise<Transferred> {
    return await Promise.reject(new Error("a mirror uploads"));
  }
  async append(): Promise<Transferred> {
    return await Promise.reject(new Error("a mirror uploads"));
  }
  async rename(): Promise<void> {
    await Promise.reject(new Error("a mirror renames nothing there"));
  }
  async copyTo(): Promise<Copied> {
    return await Promise.reject(new Error("a mirror has one server"));
  }
  async removeTree(): Promise<number> {
    return await Promise.reject(new Error("a mirror removes what it has planned"));
  }
  /** Knows TYPE and SIZE. */
  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const ask = async (verb: string, path = ""): Promise<FtpReply> => {
      this.calls.push(`${verb.toLowerCase()} ${path}`);
      await Promise.resolve();
      const size = this.nodes.get(path)?.data.length;
      if (verb.startsWith("TYPE")) return { code: 200, lines: ["as you like"] };
      return size === undefined ? { code: 550, lines: ["not there"] } : { code: 213, lines: [String(size)] };
    };
    return await work({ info: INFO, send: ask, ask, cd: nowhere, pwd: nowhere });
  }
  on(): () => void {
    return () => {};
  }
  async close(): Promise<void> {
    await Promise.resolve();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #set(path: string, node: Node): void {
    this.nodes.set(path, node);
    if (node.type === "directory" && !this.#children.has(path)) this.#children.set(path, new Set());
    if (path !== "/") this.#children.get(parentOf(path) || "/")?.add(nameOf(path));
  }

  #unset(path: string): void {
    this.nodes.delete(path);
    this.#children.delete(path);
    this.#children.get(parentOf(path) || "/")?.delete(nameOf(path));
  }

  #node(path: string): Node {
    const node = this.nodes.get(path);
    if (node === undefined) throw refused("NOT_FOUND", path);
    return node;
  }

  #followed(path: string): Node {
    const node = this.#node(path);
    return node.type === "link" ? this.#followed(`${parentOf(path)}/${node.target}`) : node;
  }

  #entry(folder: string, name: string): Entry {
    const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
    return this.#entryOf(path, this.#node(path));
  }

  #entryOf(path: string, { type, data, ms, mode, target }: Node): Entry {
    const unit = { second: 1_000, minute: 60_000, day: 86_400_000 }[this.precision];
    return {
      ...named(nameOf(path), parentOf(path)),
      type,
      ...(type === "file" ? { size: data.length } : {}),
      modified: { ms: Math.floor(ms / unit) * unit, precision: this.precision, zone: this.zone },
      mode: this.listsModes ? mode : undefined,
      target,
    };
  }

  #called(verb: string, path: string): void {
    this.calls.push(`${verb} ${path}`);
    const fault = this.#fault(verb, path);
    if (fault !== undefined) throw faultOf(fault, `${verb} ${path}`);
  }

  #fault(verb: string, path: string): Fault | undefined {
    const fault = this.#faults.get(`${verb} ${path}`) ?? this.#faults.get(`${verb} *`);
    if (fault === undefined || fault.times <= 0) return undefined;
    fault.times -= 1;
    return fault;
  }

  async #busy<T>(work: () => Promise<T>): Promise<T> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      return await work();
    } finally {
      this.running -= 1;
    }
  }
}

function contentOf(from: Source): Buffer {
  if (from instanceof LocalFile) {
    const data = Buffer.alloc(fstatSync(from.fd).size);
    for (let at = 0; at < data.length;) at += readSync(from.fd, data, at, data.length - at, at);
    return data;
  }
  throw new Error("an open file is what a mirror gives");
}

function named(name: string, folder: string): Pick<Entry, "name" | "path" | "raw"> {
  return { name, path: `${folder}/${name}`, raw: bytesOfText(name) };
}

function transferred(bytes: number, resumedAt: number): Transferred {
  return { bytes, ms: 1, resumedAt, verified: "size", isPrivate: false };
}

function faultOf({ code, retryable }: Fault, what: string): FtpError {
  return refused(code, what, retryable);
}

function refused(code: FtpErrorCode, what: string, retryable = false): FtpError {
  return new FtpError(code, what, { phase: "transfer", retryable });
}

function noAppend(path: string): FtpError {
  const reply = { code: 451, lines: ["Append/Restart not permitted, try again"] };
  return new FtpError("BUSY", `cannot put ${path}`, { phase: "command", reply });
}
