/**
 * What must hold whatever a server does: a call ends in time, with the truth or with a typed error; no file is left that
 * looks whole; and no descriptor stays open.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { connect } from "../../src/client/client.ts";
import { FtpError, type FtpErrorCode } from "../../src/client/errors.ts";
import type { CallOptions, Client, ConnectOptions } from "../../src/client/types.ts";
import { until } from "../support/attack.ts";
import { FILES, Liar, type LiarWishes } from "./liar.ts";
import type { Lies } from "./lies.ts";

/** Milliseconds of each wait where the server is going to be silent. */
const HASTE_MS = 250;
/** Milliseconds after which a call is late, whatever it waits for: the waits of a call follow each other. */
const LATE_MS = 8_000;

/** One try, and nothing of earlier runs: as a server is, so it shows. */
export const CAREFUL: ConnectOptions = { retry: { attempts: 1 }, store: false, replyMs: 3_000, stallMs: 3_000 };
export const HASTY: ConnectOptions = { ...CAREFUL, replyMs: HASTE_MS, stallMs: HASTE_MS };

/** Turns of the event loop that sockets are given to close before it is looked at the clock. */
const TURNS = 5;

/** What a call is made on. */
export type Stage = {
  readonly client: Client;
  readonly liar: Liar;
  /** An empty folder of this machine. */
  readonly folder: string;
  /** For each call. */
  readonly call: CallOptions;
};
export type Act = (stage: Stage) => Promise<unknown>;

export const CONTENT = FILES["/hello.txt"];
/** More than the buffers of a connection hold. */
export const LARGE: Buffer = Buffer.alloc(3_000_000, "large ");

/** Fails where what was got is not what there is: an error is no harm, a wrong file is. */
export const ACTS = {
  get: async ({ client, folder, call }) => {
    const path = join(folder, "out");
    await client.download("/hello.txt", path, call);
    assert.equal(await readFile(path, "latin1"), CONTENT);
  },
  read: async ({ client, call }) => {
    assert.equal((await client.read("/hello.txt", call)).toString("latin1"), CONTENT);
  },
  put: async ({ client, folder, liar, call }) => {
    const path = join(folder, "in");
    await writeFile(path, "what goes up");
    await client.upload(path, "/incoming/up", call);
    assert.equal(liar.tree.get("/incoming/up")?.toString(), "what goes up");
  },
  putLarge: async ({ client, liar, call }) => {
    await client.write("/incoming/large", LARGE, call);
    assert.ok(liar.tree.get("/incoming/large")?.equals(LARGE), "the upload that was called good is not whole");
  },
  list: async ({ client, call }) => {
    const entries = await client.list("/", call).toArray();
    assert.deepEqual(entries.map(({ name }) => name).toSorted(), ["empty", "hello.txt", "incoming", "sub"]);
  },
  /** More than any connection takes in: it ends when it is no longer read. */
  putWithoutEnd: async ({ client, call }) => {
    await client.write("/incoming/endless", Readable.from(endlessChunks(), { objectMode: false }), call);
  },
  nothing: async () => {},
} as const satisfies Readonly<Record<string, Act>>;

function* endlessChunks(): Generator<Buffer> {
  for (;;) yield LARGE;
}

export type Case = {
  readonly liar?: LiarWishes;
  readonly options?: ConnectOptions;
  /** Milliseconds for each call. */
  readonly callMs?: number;
  readonly act: Act;
  /** "well": it succeeds. Codes: it fails with one of them. Absent: either, but not in between. */
  readonly ends?: "well" | readonly FtpErrorCode[];
  /** Of the URL. */
  readonly scheme?: string;
};

/** Starts a liar, connects, acts, closes, and looks at what is left. */
export async function tryOut(one: Case): Promise<FtpError | undefined> {
  await using liar = await Liar.start(one.liar ?? {});
  return await endure(liar, one);
}

/** The same with a liar that is there already. @returns how it failed. */
export async function endure(
  liar: Liar,
  { act, ends, scheme, callMs, options = CAREFUL }: Case,
): Promise<FtpError | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-liar-"));
  const before = socketsNow();
  try {
    const error = await inTime(
      outcomeOf(async () => {
        await using client = await connect(liar.url("", scheme), options);
        await act({ client, liar, folder, call: callMs === undefined ? {} : { timeoutMs: callMs } });
      }),
      LATE_MS,
    );
    await nothingOpen({ liar, folder, before });
    const isGood = error === undefined;
    assert.ok(isGood || !existsSync(join(folder, "out")), `a file that looks whole was left: ${said(error)}`);
    if (ends === "well") assert.ok(isGood, said(error));
    else if (ends !== undefined)
      assert.ok(error !== undefined && ends.includes(error.code), `expected ${ends.join()}: ${said(error)}`);
    return error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function said(error: FtpError | undefined): string {
  return error === undefined ? "it succeeded" : `${error.code} (${error.phase}, ${error.connection}): ${error.message}`;
}

/** The error, which must be one of the library's. */
async function outcomeOf(work: () => Promise<void>): Promise<FtpError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof FtpError) return error;
    throw error;
  }
}

/** @throws when work has not ended after so many milliseconds. */
export async function inTime<Value>(work: Promise<Value>, limitMs: number): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it has not ended after ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function nothingOpen({ liar, folder, before }: { liar: Liar; folder: string; before: number }): Promise<void> {
  await liar.quiet();
  // Mostly they are closed within some turns of the loop, and tens of thousands of calls are tried.
  for (let turns = 0; turns < TURNS && socketsNow() > before; turns += 1) await new Promise(setImmediate);
  await until(`sockets are closed: ${before} before, ${socketsNow()} now`, () => socketsNow() <= before);
  assert.deepEqual(filesOpen(folder), [], "a file stayed open");
}

/** Sockets that this process has open, on both sides of each connection. */
export function socketsNow(): number {
  return descriptors().filter((target) => target.startsWith("socket:")).length;
}

function filesOpen(folder: string): readonly string[] {
  return descriptors().filter((target) => target.startsWith(folder));
}

function descriptors(): readonly string[] {
  return readdirSync("/proc/self/fd").map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The descriptor of this very look.
      return "";
    }
  });
}

/** The same for every lie of a table, by its name. */
export type CaseTable = Readonly<Record<string, Case>>;

/** A case whose liar lies about replies alone. */
export function aboutReplies(replies: NonNullable<Lies["replies"]>, rest: Omit<Case, "liar">): Case {
  return { ...rest, liar: { lies: { replies } } };
}

/** A server that tells no sizes: nothing but the end of the data and its 226 says that a file is whole. */
export const WITHOUT_SIZE = {
  features: ["EPSV", "REST STREAM"],
  replies: { SIZE: { say: "500 What?\r\n" }, MLST: { say: "500 What?\r\n" } },
} as const satisfies Lies;

export function lying(lies: Lies, rest: Omit<Case, "liar">): Case {
  return { ...rest, liar: { lies } };
}
