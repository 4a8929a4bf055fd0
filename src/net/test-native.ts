/** Connected pairs on the native path, and files, for its tests. Each test file that imports this has its own. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { type Socket, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { type DataCalls, loadDataCalls } from "../sys/data-calls.ts";
import { DataError, type DataTerms } from "./data-connection.ts";
import { NativeConnection } from "./native-connection.ts";
import { PassivePool } from "./passive-pool.ts";

const calls = loadDataCalls();
export const skip = calls === undefined ? "the native path needs Linux and koffi" : false;

const HERE = "127.0.0.1";
export const folder = mkdtempSync(join(tmpdir(), "ferryman-native-"));
// Whatever path the rest of this run is on.
const pool = new PassivePool(calls === undefined ? {} : { path: { kind: "native", calls } });
after(() => {
  pool.close();
  rmSync(folder, { recursive: true });
});

const PATIENT = { stallMs: 20_000, signal: new AbortController().signal };
export const BIG = randomBytes(9_000_001);
export const bigPath = join(folder, "big");
writeFileSync(bigPath, BIG);

type Pair = AsyncDisposable & { readonly ours: NativeConnection; readonly theirs: Socket };

export function real(): DataCalls {
  assert.ok(calls !== undefined);
  return calls;
}

export async function pair(terms: Partial<DataTerms> = {}, changed: Partial<DataCalls> = {}): Promise<Pair> {
  using lease = await pool.lease({ address: HERE, from: HERE, onStranger: () => {} });
  const theirs = createConnection({ host: HERE, port: lease.port, allowHalfOpen: true });
  theirs.on("error", () => {});
  await once(theirs, "connect");
  const end = await lease.accept(AbortSignal.timeout(5_000));
  const descriptor = end.toDescriptor();
  assert.ok(descriptor !== undefined);
  const ours = new NativeConnection(
    { descriptor, peer: end.remote },
    { ...PATIENT, ...terms },
    { ...real(), ...changed },
  );
  return {
    ours,
    theirs,
    async [Symbol.asyncDispose]() {
      await ours[Symbol.asyncDispose]();
      theirs.destroy();
    },
  };
}

export async function collect(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

export class OpenFile implements Disposable {
  readonly path: string;
  readonly descriptor: number;

  constructor(path: string, flags: string) {
    this.path = path;
    this.descriptor = openSync(path, flags);
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }
}

let made = 0;
export const newFile = (): OpenFile => new OpenFile(join(folder, `up-${(made += 1)}`), "w+");

/** As a transfer does it: what the kernel's way gives back is written plainly, and on it goes. */
export async function receiveAll(ours: NativeConnection, file: OpenFile): Promise<void> {
  for (;;) {
    const rest = await ours.receiveFile(file.descriptor, () => {});
    if (rest === "end") return;
    for (const chunk of rest) writeSync(file.descriptor, chunk);
    const plain = await ours.receive();
    if (plain.length === 0) return;
    for (const chunk of plain) writeSync(file.descriptor, chunk);
  }
}

export const isFault = (fault: string) => (error: unknown) => error instanceof DataError && error.fault === fault;
