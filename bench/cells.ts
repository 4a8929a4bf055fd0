/** One cell of the table: one workload at one server, once, with what it cost. */
import { spawn } from "node:child_process";
import { once as event } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FRESH_FOLDER, type Ground, aPartOf, inFreshFolder, sweep } from "./ground.ts";
import { longPath } from "./long-haul.ts";
import type { Meter, Usage } from "./meter.ts";
import type { Login, Peer } from "./peers/peer.ts";
import { readOnce, touchMemory } from "./page-cache.ts";
import { ProgramError, closeOf, collect, end, run } from "./processes.ts";
import type { Running, Stand } from "./stand.ts";
import { type LoadResult, type Workload, loadResult } from "./workload.ts";

/** Milliseconds that one run of the load generator may take. */
const LOAD_LIMIT_MS = 60_000;
/** Logins before memory is read for the first time, so that code and pools are not taken for sessions; so many times. */
const WARM_UP = ["login", "--sessions", "16", "--repeat"];
const WARM_UP_TIMES = 20;
/** What each server does before the first round: some logins, and then of the seconds that it has a part of each of these. */
const FIRST_LOGINS = ["login", "--repeat", "30"];
const WARM_UPS = [
  { words: ["small-retr", "--path", "/small/file-%d.bin"], part: 0.6 },
  { words: ["small-stor", "--path", `${FRESH_FOLDER}/up-%d.bin`], part: 0.4 },
] as const;
/** Sessions of it, and files of one turn: less than a second with most. */
const [WARM_UP_SESSIONS, WARM_UP_FILES] = [16, 500];
/** Milliseconds between two looks at memory, looks at most, and the part of it that may change while it counts as still. */
const [LOOK_MS, LOOKS, STILL] = [500, 8, 0.005];

export type Bench = {
  readonly ground: Ground;
  readonly stand: Stand;
  /** Command of the load generator. */
  readonly load: readonly string[];
  readonly isolated: boolean;
};

export type Measured = { readonly result: LoadResult; readonly usage?: Usage };

/** A server that does not have what is asked for. */
export class NotOffered extends Error {}

/**
 * A timed turn has nothing beside it and what it reads in memory; one that is not timed does a part of the operations
 * and looks at the server's memory, which takes time of the server.
 */
export type Turn = { readonly peer: Peer; readonly isTimed: boolean };

/** @throws {NotOffered} @throws {ProgramError} */
export async function measure(bench: Bench, work: Workload, turn: Turn): Promise<Measured> {
  const measured = await once(bench, work, turn);
  const complaint = work.complaint?.(measured.result, bench.ground.sizes);
  if (complaint !== undefined) throw new ProgramError(complaint);
  return measured;
}

async function once(bench: Bench, work: Workload, { peer, isTimed }: Turn): Promise<Measured> {
  const login = peer.logins(bench.ground)[work.login];
  if (login === undefined) {
    throw new NotOffered(`not offered: ${work.login === "argon2id" ? "argon2id hashes" : "accounts with a hash"}`);
  }
  const share = peer.share?.[work.group] ?? 1;
  if (work.kind === "start") {
    await using fresh = await bench.stand.fresh(peer);
    return { result: { mode: "start", seconds: fresh.startSeconds, operations: 1 } };
  }
  if (work.kind === "idle") {
    await using fresh = await bench.stand.fresh(peer);
    return { result: await idle(bench, fresh, { work, login, share }) };
  }
  const { port, meter } = await bench.stand.kept(work.login === "hashed" ? (peer.forAccounts ?? peer) : peer);
  const { sizes } = bench.ground;
  const words = work.load(isTimed ? sizes : aPartOf(sizes), share);
  if (isTimed) prepare(bench.ground, work, share);
  const take = isTimed ? meter.costs : meter.peak;
  if (work.kind === "load") {
    const [result, usage] = await take(async () => generate(bench, words, { port, login }));
    return { result, usage };
  }
  await using path = await longPath(port, bench.isolated);
  const [result, usage] = await take(async () => generate(bench, words, { port: path.port, login }));
  return { result, usage };
}

/**
 * Lets all servers move small files for so many seconds: none is to be measured cold, and code that is compiled while it
 * runs is half as fast again after 50,000 of them. What a server refuses shows later.
 */
export async function warmUp(bench: Bench, peers: readonly Peer[], seconds: number): Promise<void> {
  for (const peer of peers) {
    const { files: login } = peer.logins(bench.ground);
    const files = Math.max(WARM_UP_SESSIONS, WARM_UP_FILES * (peer.share?.["d"] ?? 1));
    try {
      const { port } = await bench.stand.kept(peer);
      await generate(bench, FIRST_LOGINS, { port, login });
      for (const { words, part } of WARM_UPS) {
        const turn = [...words, "--sessions", String(WARM_UP_SESSIONS), "--files", String(files)];
        const last = performance.now() + seconds * part * 1_000;
        do await generate(bench, turn, { port, login });
        while (performance.now() < last);
      }
    } catch {
      await bench.stand.drop(peer);
    }
    sweep(bench.ground);
  }
}

function prepare({ root, sizes }: Ground, work: Workload, share: number): void {
  readOnce(root, work.reads?.(sizes, share) ?? []);
  const { folder, octets } = work.fills?.(sizes) ?? { folder: "", octets: 0 };
  if (octets > 0) touchMemory(join(root, folder), octets);
}

/** The bare limit of the machine for this workload, which has the mode and arguments for it. */
export async function measureRaw(bench: Bench, work: Workload, words: readonly string[]): Promise<Measured> {
  prepare(bench.ground, work, 1);
  return { result: parsed(await run(...command([...bench.load, ...words]), { limit: LOAD_LIMIT_MS })) };
}

type Where = { readonly port: number; readonly login: Login };

async function generate(bench: Bench, words: readonly string[], { port, login }: Where): Promise<LoadResult> {
  const who = ["--user", login.user, "--pass", login.password];
  const fresh = words.map((word) => (word.includes(FRESH_FOLDER) ? inFreshFolder(bench.ground, word) : word));
  const all = [...bench.load, ...fresh, "--port", String(port), ...who, "--timeout", String(LOAD_LIMIT_MS / 1_000 - 5)];
  try {
    return parsed(await run(...command(all), { limit: LOAD_LIMIT_MS }));
  } catch (error) {
    // RFC 959 §4.2: not known, not for this parameter, not implemented.
    const refusal = error instanceof ProgramError ? /\b50[0124][ -][^\n]*/.exec(error.message)?.[0] : undefined;
    throw refusal === undefined ? error : new NotOffered(`not offered: ${refusal.trim()}`);
  }
}

function command([program = "", ...args]: readonly string[]): readonly [string, readonly string[]] {
  return [program, args];
}

function parsed(output: string): LoadResult {
  const line = output.trim().split("\n").at(-1) ?? "";
  return loadResult.parse(JSON.parse(line));
}

/** `bytes` of the result are those of one idle session. */
async function idle(
  bench: Bench,
  { port, meter }: Running,
  { work, login, share }: { work: Workload; login: Login; share: number },
): Promise<LoadResult> {
  const words = work.load(bench.ground.sizes, share);
  const secure = words.includes("--tls") ? ["--tls"] : [];
  const times = Math.max(1, Math.round(WARM_UP_TIMES * share));
  await generate(bench, [...WARM_UP, String(times), ...secure], { port, login });
  const before = await settled(meter);
  const who = ["--user", login.user, "--pass", login.password, "--timeout", String(LOAD_LIMIT_MS / 1_000)];
  const [program, args] = command([...bench.load, ...words, "--port", String(port), ...who]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const errors = collect(child.stderr);
  const output = collect(child.stdout);
  const closed = closeOf(child);
  try {
    const seconds = AbortSignal.timeout(LOAD_LIMIT_MS);
    await Promise.race([event(child.stdout, "data", { signal: seconds }), closed]);
    const { ready = 0 } = readyLine(output());
    if (ready === 0) throw new ProgramError(errors().trim() || "no session became idle");
    const after = await settled(meter);
    return { mode: "idle", seconds: 0, sessions: ready, bytes: ((after - before) * 1_024) / ready };
  } finally {
    child.stdin.end();
    await end(child);
  }
}

function readyLine(text: string): { readonly ready?: number } {
  const ready = /"ready":\s*(\d+)/.exec(text)?.[1];
  return ready === undefined ? {} : { ready: Number(ready) };
}

/** KiB, as soon as it stands still. */
async function settled(meter: Meter): Promise<number> {
  let before = 0;
  for (let look = 0; look < LOOKS; look += 1) {
    await delay(LOOK_MS);
    const now = meter.memory();
    if (Math.abs(now - before) < now * STILL) return now;
    before = now;
  }
  return before;
}
