/** For tests: a server in memory behind the interface of the client, and a shell on it whose output is kept. */
import { EventEmitter, once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { PassThrough, Readable, Writable } from "node:stream";
import { bytesOfText } from "../../base/bytes.ts";
import { type GivenSource, sourceOf } from "../../client/ends.ts";
import { FtpError, type FtpReply } from "../../client/errors.ts";
import type {
  CallOptions,
  Client,
  ClientEvents,
  Copied,
  DownloadOptions,
  Entry,
  EntryType,
  ListOptions,
  Listing,
  ServerInfo,
  Session,
  Sink,
  Source,
  Transferred,
  UploadOptions,
} from "../../client/types.ts";
import { type ShellOptions, runShell } from "./shell.ts";

const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Names that end in `stuck` never move: only an abort ends them. */
export class MemoryClient implements Client {
  readonly info: ServerInfo;
  /** Contents by path; folders have none. */
  readonly files = new Map<string, string | undefined>();
  /** What was called, as `verb path`. */
  readonly calls: string[] = [];
  /** Names that a listing of a folder tells beside the true ones. */
  readonly lies: string[] = [];
  /** Milliseconds that a listing takes. */
  listMs = 0;
  isClosed = false;
  readonly #events = new EventEmitter();

  constructor(files: Readonly<Record<string, string | undefined>> = {}, info: Partial<ServerInfo> = {}) {
    this.info = {
      host: "ftp.example.org",
      port: 21,
      address: "192.0.2.1",
      greeting: "hello",
      system: "UNIX",
      features: new Map([["SIZE", ""]]),
      tls: undefined,
      home: "/base",
      user: "ann",
      ...info,
    };
    this.files.set("/", undefined);
    this.files.set("/base", undefined);
    for (const [path, data] of Object.entries(files)) this.files.set(path, data);
  }

  list(folder = "", options: ListOptions = {}): Listing {
    const entries = async function* (client: MemoryClient): AsyncIterable<Entry> {
      client.calls.push(`list ${folder}`);
      if (client.listMs > 0) await new Promise((resolve) => setTimeout(resolve, client.listMs));
      options.signal?.throwIfAborted();
      if (client.files.get(folder) !== undefined || !client.files.has(folder)) throw missing(folder);
      const prefix = folder === "/" ? "/" : `${folder}/`;
      for (const path of client.files.keys()) {
        if (path !== "/" && path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
          yield client.#entry(path);
      }
      for (const name of client.lies) yield { ...client.#entry("/"), name, path: prefix + name, type: "file" };
    };
    const iterable = entries(this);
    return {
      warnings: [],
      [Symbol.asyncIterator]: () => iterable[Symbol.asyncIterator](),
      toArray: async () => await Array.fromAsync(iterable),
    };
  }

  async *walk(folder = "", { enter }: { enter?: ((entry: Entry) => boolean) | undefined } = {}): AsyncIterable<Entry> {
    for await (const entry of this.list(folder)) {
      yield entry;
      if (entry.type === "directory" && enter?.(entry) !== false) yield* this.walk(entry.path, { enter });
    }
  }

  async *glob(): AsyncIterable<Entry> {
    yield* [];
    throw unsupported();
  }

  async stat(path: string): Promise<Entry> {
    if (!this.files.has(path)) throw missing(path);
    return this.#entry(path);
  }

  async exists(path: string): Promise<false | EntryType> {
    return this.files.has(path) && this.#entry(path).type;
  }

  open(path: string): Readable {
    const data = this.files.get(path);
    return data === undefined
      ? new Readable({
          read() {
            this.destroy(missing(path));
          },
        })
      : Readable.from([Buffer.from(data)]);
  }

  create(): Writable {
    throw unsupported();
  }

  async read(path: string): Promise<Buffer> {
    return Buffer.from(this.files.get(path) ?? "");
  }

  async write(path: string, data: Source, options?: UploadOptions): Promise<Transferred> {
    return await this.upload(data, path, options);
  }

  async append(path: string, data: Source, options?: UploadOptions): Promise<Transferred> {
    return await this.upload(data, path, { ...options, mode: "append" });
  }

  async download(path: string, to: Sink, options: DownloadOptions = {}): Promise<Transferred> {
    this.calls.push(
      `download ${path}${options.type === "ascii" ? " ascii" : ""}${options.atomic === false ? " in place" : ""}`,
    );
    await stuckUnlessWell(path, options.signal);
    const data = this.files.get(path);
    if (data === undefined) throw missing(path);
    options.onProgress?.({ bytes: data.length, resumedAt: 0, total: data.length });
    if (typeof to !== "string") throw unsupported();
    await writeFile(to, data);
    return moved(data);
  }

  async upload(from: Source, path: string, options: UploadOptions = {}): Promise<Transferred> {
    this.calls.push(`upload ${path} ${options.mode ?? "replace"}`);
    await stuckUnlessWell(path, options.signal);
    const data = typeof from === "string" ? await readFile(from, "utf8") : await textOf(sourceOf(from).from);
    this.files.set(path, (options.mode === "append" ? (this.files.get(path) ?? "") : "") + data);
    return moved(data);
  }

  async copyTo(_other: Client, from: string, to: string): Promise<Copied> {
    return { ...(await this.upload(this.open(from), to)), way: "relay" };
  }

  async remove(path: string): Promise<void> {
    this.calls.push(`remove ${path}`);
    if (this.files.get(path) === undefined) throw missing(path);
    this.files.delete(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.calls.push(`rename ${from} ${to}`);
    if (!this.files.has(from)) throw missing(from);
    this.files.set(to, this.files.get(from));
    this.files.delete(from);
  }

  async mkdir(path: string): Promise<void> {
    this.calls.push(`mkdir ${path}`);
    this.files.set(path, undefined);
  }

  async rmdir(path: string): Promise<void> {
    this.calls.push(`rmdir ${path}`);
  }

  async removeTree(path: string): Promise<number> {
    this.calls.push(`removeTree ${path}`);
    return 1;
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.calls.push(`chmod ${path} ${mode.toString(8)}`);
  }

  async utime(path: string, modified: Date): Promise<string> {
    this.calls.push(`utime ${path} ${modified.toISOString()}`);
    return "MFMT";
  }

  async hash(): Promise<undefined> {}

  async raw(line: string): Promise<FtpReply> {
    this.calls.push(`raw ${line}`);
    return { code: line.startsWith("SITE CPFR") ? 500 : 200, lines: [line] };
  }

  async session<T>(work: (session: Session) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    const ask = async (verb: string, ...rest: string[]): Promise<FtpReply> => {
      signal?.throwIfAborted();
      return await this.raw([verb, ...rest].join(" "));
    };
    const cd = async (path: string): Promise<void> => {
      if (!this.files.has(path) || this.files.get(path) !== undefined) throw missing(path);
    };
    return await work({ info: this.info, send: ask, ask, cd, pwd: async () => "/" });
  }

  on<K extends keyof ClientEvents>(event: K, listener: (detail: ClientEvents[K]) => void): () => void {
    this.#events.on(event, listener);
    return () => void this.#events.off(event, listener);
  }

  emit<K extends keyof ClientEvents>(event: K, detail: ClientEvents[K]): void {
    this.#events.emit(event, detail);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #entry(path: string): Entry {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const data = this.files.get(path);
    const modified = { ms: MODIFIED, precision: "second", zone: "utc" } as const;
    const raw = bytesOfText(name);
    return data === undefined
      ? { name, path, raw, type: "directory", modified }
      : { name, path, raw, type: "file", size: data.length, modified, mode: 0o640, owner: "ann" };
  }
}

function missing(path: string): FtpError {
  return new FtpError("NOT_FOUND", `${path}: no such file`, { phase: "command" });
}

function unsupported(): FtpError {
  return new FtpError("UNSUPPORTED", "not of this server", { phase: "command" });
}

async function stuckUnlessWell(path: string, signal: AbortSignal | undefined): Promise<void> {
  if (!path.endsWith("stuck")) return;
  if (signal?.aborted !== true) await once(signal ?? new EventTarget(), "abort");
  signal?.throwIfAborted();
}

async function textOf(from: GivenSource["from"]): Promise<string> {
  if (typeof from === "string" || from instanceof Uint8Array) return Buffer.from(from).toString();
  if (!(Symbol.asyncIterator in from)) throw new Error("a path or a stream is what a shell gives");
  const chunks: Uint8Array[] = [];
  for await (const chunk of from) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function moved(data: string): Transferred {
  return { bytes: data.length, ms: 1, resumedAt: 0, verified: "size", isPrivate: false };
}

/** A stream whose text is kept, and that tells when some of it has come. */
export class Kept extends Writable {
  text = "";
  readonly columns = 80;
  readonly #changed = new EventEmitter();

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
    this.#changed.emit("more");
  }

  /** Resolves once `part` stands behind what was awaited before. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part, this.#seen)) await once(this.#changed, "more");
    this.#seen = this.text.indexOf(part, this.#seen) + part.length;
  }

  #seen = 0;
}

export type Stage = {
  readonly input: PassThrough;
  readonly output: Kept;
  readonly errorOutput: Kept;
  readonly signals: EventEmitter;
  readonly client: MemoryClient;
  /** The exit code. */
  readonly ended: Promise<number>;
};

/** A shell that runs; nothing of this host's configuration is read. */
export function staged(client: MemoryClient, options: Partial<ShellOptions>): Stage {
  const [input, output, errorOutput] = [new PassThrough(), new Kept(), new Kept()];
  const signals = new EventEmitter();
  const ended = runShell({
    ...(options.connect === undefined ? { client } : {}),
    input,
    output,
    errorOutput,
    terminal: false,
    startFile: false,
    history: false,
    environment: {},
    signals,
    ...options,
  });
  return { input, output, errorOutput, signals, client, ended };
}

export type Ended = {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly client: MemoryClient;
};

/** A script to its end. */
export async function ran(client: MemoryClient, commands: string, options: Partial<ShellOptions> = {}): Promise<Ended> {
  const { output, errorOutput, ended } = staged(client, { commands, ...options });
  const code = await ended;
  return { code, out: output.text, err: errorOutput.text, client };
}

/** By turns of the event loop: nothing tells of it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
