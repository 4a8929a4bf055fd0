/** Many calls at once on few connections of a server that fails by chance: all of them end, and no connection is forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { connect } from "../../src/client/client.ts";
import { FtpError } from "../../src/client/errors.ts";
import type { CallOptions, Client } from "../../src/client/types.ts";
import { until } from "../support/attack.ts";
import { Liar } from "./liar.ts";
import type { Lie, Lies, Step } from "./lies.ts";
import { CAREFUL, CONTENT, socketsNow } from "./unharmed.ts";

/** Milliseconds for all calls of one try. */
const LATE_MS = 5_000;
const RUNS = 150;
/** What each call must give when it succeeds. */
const CALLS: readonly ((client: Client, options: CallOptions) => Promise<void>)[] = [
  async (client, options) => assert.equal((await client.read("/hello.txt", options)).toString(), CONTENT),
  async (client, options) => assert.ok((await client.list("/", options).toArray()).length >= 4),
  async (client, options) => void (await client.write("/incoming/up", Buffer.from("up"), options)),
  async (client, options) => assert.equal((await client.stat("/hello.txt", options)).size, CONTENT.length),
];

const lie: fc.Arbitrary<Lie> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Lie>("truth") },
  fc.constantFrom<Lie>(
    { say: "421 Too many.\r\n", end: "fin" },
    { say: "450 Busy.\r\n" },
    { say: "550 No.\r\n" },
    { end: "reset" },
    { end: "fin" },
    { waitMs: 3 },
  ),
);
/** Where a stray reply can be told from the one that ends a transfer. */
const BEFORE_TRANSFERS: ReadonlySet<string> = new Set(["USER", "PASS", "TYPE"]);
const stray: fc.Arbitrary<Lie> = fc.oneof({ weight: 4, arbitrary: lie }, fc.constant<Lie>({ after: "200 Stray.\r\n" }));
const KEYS = [
  "greeting",
  "USER",
  "PASS",
  "TYPE",
  "EPSV",
  "RETR",
  "RETR end",
  "MLSD",
  "MLSD end",
  "STOR end",
  "MLST",
] as const;
const steps: fc.Arbitrary<readonly Step[]> = fc.constantFrom<readonly Step[]>(
  ["opening", "connect", "data", "end", "closing"],
  ["opening", "connect", "half", "reset", "closing"],
  ["opening", "connect", "closing", "data", "end"],
);
const lies: fc.Arbitrary<Lies> = fc.record({
  // The first connection must come about, or there is nothing to be seen.
  replies: fc
    .tuple(
      ...KEYS.map((key) =>
        fc
          .array(BEFORE_TRANSFERS.has(key) ? stray : lie, { maxLength: 6 })
          .map((list) => [key, ["truth", ...list] as const] as const),
      ),
    )
    .map((entries) => Object.fromEntries(entries)),
  steps: fc.record({ RETR: steps, MLSD: steps }),
});
const call = fc.record({ which: fc.nat(CALLS.length - 1), abortAfterMs: fc.option(fc.nat(20), { nil: undefined }) });

test("all calls end, and all connections", async () => {
  const before = socketsNow();
  await fc.assert(
    fc.asyncProperty(
      lies,
      fc.array(call, { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      async (lied, calls, connections) => {
        await using liar = await Liar.start({ lies: lied });
        const client = await connect(liar.url(), {
          ...CAREFUL,
          connections,
          retry: { attempts: 2, firstMs: 1, mostMs: 2 },
        });
        const late = new AbortController();
        const running = Promise.all(calls.map(async (each) => end(client, each)));
        await Promise.race([running, tooLate(late.signal)]);
        late.abort();
        await client.close();
        await liar.quiet();
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  );
  await until("sockets are closed", () => socketsNow() <= before);
});

async function end(
  client: Client,
  { which, abortAfterMs }: { which: number; abortAfterMs: number | undefined },
): Promise<void> {
  const reason = new Error("given up");
  const stop = new AbortController();
  const timer = abortAfterMs === undefined ? undefined : setTimeout(() => stop.abort(reason), abortAfterMs);
  try {
    await CALLS[which]?.(client, { signal: stop.signal });
  } catch (error) {
    if (error !== reason) assert.ok(error instanceof FtpError, String(error));
  } finally {
    clearTimeout(timer);
  }
}

async function tooLate(signal: AbortSignal): Promise<void> {
  await delay(LATE_MS, undefined, { signal }).catch(() => {});
  if (!signal.aborted) throw new Error(`calls have not ended after ${LATE_MS} ms`);
}
