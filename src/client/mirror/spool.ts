/** Steps that wait: a few in memory, more in a temporary file without a name, so that a million of them cost nothing. */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SPOOL_BLOCK, SPOOL_MEMORY } from "./limits.ts";
import { localError } from "./local-error.ts";
import type { Step } from "./types.ts";

type Spilled = { readonly handle: FileHandle; readonly path: string };

export class Spool implements AsyncIterable<Step>, AsyncDisposable {
  readonly #most: number;
  #memory: Step[] = [];
  #file: Spilled | undefined;
  #pending = "";
  #octets = 0;
  #count = 0;

  /** @param most steps in memory. */
  constructor(most: number = SPOOL_MEMORY) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws {FtpError} NO_SPACE or LOCAL_IO of the temporary folder. */
  async add(step: Step): Promise<void> {
    this.#count += 1;
    this.#memory.push(step);
    if (this.#memory.length < this.#most) return;
    for (const each of this.#memory) {
      this.#pending += `${JSON.stringify(each)}\n`;
      if (this.#pending.length >= SPOOL_BLOCK) await this.#write();
    }
    this.#memory = [];
  }

  /** In the order of adding; as often as one likes, once all have been added. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Step, void, undefined> {
    await this.#write();
    if (this.#file !== undefined) yield* this.#read(this.#file.handle);
    yield* this.#memory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#memory = [];
    await file?.handle.close();
    if (file !== undefined) await rm(file.path, { force: true });
  }

  async #write(): Promise<void> {
    if (this.#pending === "") return;
    const block = Buffer.from(this.#pending);
    this.#pending = "";
    try {
      this.#file ??= await makeFile();
      const { handle } = this.#file;
      for (let at = 0; at < block.length;) {
        at += (await handle.write(block, at, block.length - at, this.#octets + at)).bytesWritten;
      }
    } catch (error) {
      throw localError(error, `keep the plan in ${tmpdir()}`);
    }
    this.#octets += block.length;
  }

  async *#read(handle: FileHandle): AsyncGenerator<Step, void, undefined> {
    const block = Buffer.allocUnsafe(SPOOL_BLOCK);
    let rest = Buffer.alloc(0);
    for (let at = 0; at < this.#octets;) {
      const { bytesRead } = await handle.read(block, 0, Math.min(block.length, this.#octets - at), at);
      at += bytesRead;
      const octets = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      const end = octets.lastIndexOf("\n") + 1;
      rest = octets.subarray(end);
      for (const line of octets.toString("utf8", 0, end).split("\n")) {
        if (line === "") continue;
        // Nobody but us has written there: the file is ours alone.
        const step: Step = JSON.parse(line);
        yield step;
      }
    }
  }
}

async function makeFile(): Promise<Spilled> {
  const path = join(tmpdir(), `ferryman-plan-${randomBytes(12).toString("hex")}`);
  const handle = await open(path, "wx+", 0o600);
  // Gone with its last descriptor, even after kill -9; Windows keeps the name until the end.
  if (process.platform !== "win32") await rm(path, { force: true });
  return { handle, path };
}
