/** Which way octets go on this machine, proven by sending a file to ourselves and getting it back. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { type Socket, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataConnection } from "../net/data-connection.ts";
import { type DataPath, chooseDataPath } from "../net/data-path.ts";
import { NativeConnection } from "../net/native-connection.ts";
import { PassivePool } from "../net/passive-pool.ts";
import type { DataTransport } from "../net/transport.ts";
import type { Finding } from "./finding.ts";

/** Octets of the trial: more than all buffers on the way hold together. */
const TRIAL_OCTETS = 16 * 1024 * 1024;
/** Octets of one buffer of the portable path. */
const CHUNK = 262_144;
/** Milliseconds for each direction of the trial. */
const TRIAL_MS = 20_000;
const HERE = "127.0.0.1";

/** @param choose which path to look at; for tests. */
export async function examineDataPath(choose: () => DataPath = chooseDataPath): Promise<Finding> {
  let path: DataPath;
  try {
    path = choose();
  } catch (error) {
    const says = 'data-path = "native" cannot be had here';
    const evidence = [error instanceof Error ? error.message : String(error)];
    return { id: "data-path", state: "bad", says, evidence, cure: 'set data-path = "auto" in [server]' };
  }
  const folder = await mkdtemp(join(tmpdir(), "ferryman-doctor-"));
  try {
    const evidence = [...(await tryBothWays(path, folder)), ...(await aboutNative(path))];
    if (path.kind === "native") {
      const says = "files go between disk and network by system calls alone (native data path)";
      return { id: "data-path", state: "good", says, evidence };
    }
    return {
      id: "data-path",
      state: "less",
      says: "files go through Ferryman's memory (portable data path)",
      evidence: [`the kernel's way is not in use: ${path.why}`, ...evidence],
      ...cureOf(path.why),
    };
  } catch (error) {
    const evidence = [error instanceof Error ? error.message : String(error)];
    const cure = 'set data-path = "portable" in [server], and report this';
    return { id: "data-path", state: "bad", says: `the ${path.kind} data path failed its trial`, evidence, cure };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What was chosen needs no cure. */
function cureOf(why: string): { readonly cure?: string } {
  if (why.includes("koffi")) return { cure: "npm install koffi: optional, but what makes Ferryman fast on Linux" };
  if (why.includes("FERRYMAN_")) return { cure: "unset that variable" };
  return {};
}

/** @throws {Error} saying what came out wrong. */
async function tryBothWays(path: DataPath, folder: string): Promise<readonly string[]> {
  const content = randomBytes(TRIAL_OCTETS);
  const [source, target] = [join(folder, "source"), join(folder, "target")];
  await writeFile(source, content);
  await using pair = await connect(path);
  await using from = await open(source, "r");
  const received = collect(pair.theirs, TRIAL_OCTETS);
  await send(pair.ours, from, content);
  await pair.ours.finish();
  if (!(await received).equals(content)) throw new Error("a download came out other than it went in");
  await using back = await connect(path);
  await using to = await open(target, "w");
  back.theirs.end(content);
  await receive(back.ours, to);
  if (!(await readFile(target)).equals(content)) throw new Error("an upload came out other than it went in");
  return ["trial on loopback: a download and an upload of 16 MiB came out octet for octet"];
}

type Pair = AsyncDisposable & { readonly ours: DataTransport; readonly theirs: Socket };

async function connect(path: DataPath): Promise<Pair> {
  const pool = new PassivePool({ path });
  const signal = AbortSignal.timeout(TRIAL_MS);
  const lease = await pool.lease({ address: HERE, from: HERE, onStranger: () => {} });
  const theirs = createConnection({ host: HERE, port: lease.port, signal });
  await once(theirs, "connect");
  const end = await lease.accept(signal);
  lease[Symbol.dispose]();
  pool.close();
  const terms = { stallMs: TRIAL_MS, signal };
  const descriptor = path.kind === "native" ? end.toDescriptor() : undefined;
  const ours =
    path.kind === "native" && descriptor !== undefined
      ? new NativeConnection({ descriptor, peer: end.remote }, terms, path.calls)
      : new DataConnection({ socket: end.toSocket() }, terms);
  return {
    ours,
    theirs,
    async [Symbol.asyncDispose]() {
      await ours[Symbol.asyncDispose]();
      theirs.destroy();
    },
  };
}

async function send(transport: DataTransport, file: FileHandle, content: Buffer): Promise<void> {
  let at = (await transport.sendFile?.(file.fd, { start: 0, end: content.length }, () => {})) ?? 0;
  for (; at < content.length; at += CHUNK) await transport.send(content.subarray(at, at + CHUNK));
}

async function receive(transport: DataTransport, file: FileHandle): Promise<void> {
  for (;;) {
    const rest = await transport.receiveFile?.(file.fd, () => {});
    if (rest === "end") return;
    for (const chunk of rest ?? []) await file.write(chunk);
    const chunks = await transport.receive();
    if (chunks.length === 0) return;
    for (const chunk of chunks) await file.write(chunk);
  }
}

async function collect(socket: Socket, size: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(size);
  let at = 0;
  for await (const chunk of socket) {
    if (chunk instanceof Buffer) at += chunk.copy(whole, at);
  }
  return whole.subarray(0, at);
}

async function aboutNative(path: DataPath): Promise<readonly string[]> {
  if (path.kind !== "native") return [];
  const probe = await open(process.execPath, "r");
  try {
    const warmth = path.calls.warmth(probe.fd, { position: 0, length: 4_096 });
    return [
      warmth === "unknown"
        ? "nothing tells which files lie in memory: each read goes by another thread"
        : "files that lie in memory are sent at once, others are read on other threads",
    ];
  } finally {
    await probe.close();
  }
}
