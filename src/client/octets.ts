/** Octets between a data connection and what the caller has: a file, memory, or a stream. Nobody is read ahead of. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { systemCode } from "../base/system-code.ts";
import type { DataTransport, Moved } from "../net/transport.ts";
import { FtpError, usageError } from "./errors.ts";
import { READ_BUFFER } from "./limits.ts";
import type { GivenSource } from "./ends.ts";
import type { LocalFile } from "./local-file.ts";
import type { OpenFile } from "./types.ts";

/** What came goes to the end of an open file. @throws {DataError}, or LOCAL_IO. */
export async function receiveIntoFile(transport: DataTransport, file: LocalFile, moved: Moved): Promise<void> {
  while (transport.receiveFile !== undefined) {
    const rest = await transport.receiveFile(file.fd, moved);
    if (rest === "end") return;
    if (rest.length === 0) break;
    await writeAll(file, rest);
  }
  for (;;) {
    const chunks = await transport.receive();
    if (chunks.length === 0) return;
    await writeAll(file, chunks);
    moved(octetsIn(chunks));
  }
}

export function octetsIn(chunks: readonly Buffer[]): number {
  let octets = 0;
  for (const chunk of chunks) octets += chunk.length;
  return octets;
}

async function writeAll(file: LocalFile, chunks: readonly Buffer[]): Promise<void> {
  try {
    for (const chunk of chunks) await file.write(chunk);
  } catch (error) {
    throw localFault(error, "cannot write the file here");
  }
}

/** What came goes to a stream, as fast as that takes it. Stops after `most` octets. @returns whether all came. */
export async function receiveIntoStream(
  transport: DataTransport,
  to: Writable,
  { moved, most, signal }: { readonly moved: Moved; readonly most: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  let left = most;
  for (;;) {
    if (left <= 0) return false;
    const chunks = await transport.receive();
    if (chunks.length === 0) return true;
    for (const chunk of chunks) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      moved(part.length);
      // The buffer is used again for what comes next.
      if (part.length > 0 && !to.write(Buffer.from(part))) await drained(to, signal);
      if (left <= 0) return false;
    }
  }
}

async function drained(to: Writable, signal: AbortSignal | undefined): Promise<void> {
  if (to.destroyed) throw localFault(to.errored, "the stream that takes the file was closed");
  const stop = new AbortController();
  const joined = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.race([once(to, "drain", { signal: joined }), closedOf(to, joined)]);
  } finally {
    stop.abort();
  }
}

async function closedOf(to: Writable, signal: AbortSignal): Promise<void> {
  await once(to, "close", { signal });
  throw localFault(to.errored, "the stream that takes the file was closed");
}

export type FileToSend = {
  readonly start: number;
  /** Octets of the file when it was looked at. */
  readonly size: number;
  readonly moved: Moved;
};

/** Sends from an open file, to its end. @returns the position reached. @throws {DataError}, or LOCAL_IO. */
export async function sendFromFile(
  transport: DataTransport,
  file: LocalFile,
  { start, size, moved }: FileToSend,
): Promise<number> {
  let at = start;
  if (transport.sendFile !== undefined) at = await transport.sendFile(file.fd, { start: at, end: size }, moved);
  // Where the kernel gave no more, and where it grew meanwhile: reading tells.
  for (let buffer = bufferFor(size - at, transport); ;) {
    const count = await readAt(file, buffer, at);
    if (count === 0) return at;
    await transport.send(buffer.subarray(0, count), moved);
    at += count;
    if (at > size && buffer.length === SMALL_READ) buffer = bufferFor(READ_BUFFER, transport);
  }
}

/** Octets of a buffer for the rest of a short file: a large one is dear to make. */
const SMALL_READ = 4_096;

function bufferFor(octets: number, { memory }: DataTransport): Buffer {
  return octets < SMALL_READ ? Buffer.allocUnsafe(SMALL_READ) : Buffer.allocUnsafeSlow(Math.min(READ_BUFFER, memory));
}

async function readAt(file: LocalFile, buffer: Buffer, position: number): Promise<number> {
  try {
    return await file.read(buffer, position);
  } catch (error) {
    throw localFault(error, "cannot read the file here");
  }
}

/** Octets of any source that is no path, one buffer after another. */
export async function* chunksOf(source: Exclude<GivenSource["from"], string | OpenFile>): AsyncGenerator<Buffer> {
  if (source instanceof Uint8Array) {
    yield Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    return;
  }
  for await (const chunk of source) {
    if (typeof chunk === "string") yield Buffer.from(chunk);
    else if (chunk instanceof Uint8Array) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    else throw usageError("the stream to send gives neither octets nor text");
  }
}

/** What a source gives, as long as it is wanted: one that gives nothing more must not hold up the end. */
export async function* untilOver(chunks: AsyncGenerator<Buffer>, life: AbortSignal): AsyncGenerator<Buffer> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const over = (): void => reject(life.reason);
  if (life.aborted) over();
  life.addEventListener("abort", over, { once: true });
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), promise]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    life.removeEventListener("abort", over);
    // Not awaited: it may wait for its source for ever.
    void chunks.return(undefined).catch(() => {});
  }
}

const LOCAL_CODES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "you may not",
  EPERM: "you may not",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is no folder",
  ENOSPC: "the disk is full",
  EDQUOT: "your quota is used up",
  EROFS: "it is a read-only file system",
  ELOOP: "it is a symbolic link, which is not followed here",
  EEXIST: "it exists",
  ENAMETOOLONG: "the name is too long",
};

/** A fault of our own side. A full disk is NO_SPACE, as no other file would fare better. */
export function localFault(error: unknown, what: string): FtpError {
  const code = systemCode(error);
  const why = LOCAL_CODES[code] ?? (error instanceof Error ? error.message : "");
  return new FtpError(
    code === "ENOSPC" || code === "EDQUOT" ? "NO_SPACE" : "LOCAL_IO",
    why === "" ? what : `${what}: ${why}`,
    {
      phase: "local",
      cause: error,
      retryable: false,
    },
  );
}
