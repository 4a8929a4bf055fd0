/** A local file open for reading. */
import { closeSync, read } from "node:fs";
import { promisify } from "node:util";
import type { VirtualPath } from "../../protocol/path.ts";
import { loadDataCalls } from "../../sys/data-calls.ts";
import type { Entry, FileReader } from "../storage.ts";
import { HostError, storageError } from "./faults.ts";

const readAsync = promisify(read);

const calls = loadDataCalls();

/** Octets read on the event loop at a time: some 50 µs. */
const MOST_AT_ONCE = 524_288;

export class LocalReader implements FileReader {
  readonly entry: Entry;
  readonly descriptor: number;
  readonly #path: VirtualPath;
  #pending: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param file owns its descriptor from here on. */
  constructor(path: VirtualPath, file: { readonly entry: Entry; readonly descriptor: number }) {
    this.#path = path;
    this.entry = file.entry;
    this.descriptor = file.descriptor;
  }

  async read(into: Buffer, position: number): Promise<number> {
    try {
      if (this.#closed) throw new HostError("EBADF", "this reader is closed");
      // What lies in memory is copied on the spot: another thread would take longer to be woken.
      const count = calls?.readIfInMemory(this.descriptor, into, Math.min(into.length, MOST_AT_ONCE), position) ?? 0;
      if (count > 0) return count;
      const reading = readAsync(this.descriptor, into, 0, into.length, position);
      this.#pending = reading.catch(() => {});
      return (await reading).bytesRead;
    } catch (error) {
      throw storageError(error, this.#path);
    }
  }

  /** Waits for a read that is under way: its descriptor could be another file's by then. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pending;
    // Of a file that was only read, closing waits for no disk; by the thread pool it costs more than all else here.
    closeSync(this.descriptor);
  }
}
