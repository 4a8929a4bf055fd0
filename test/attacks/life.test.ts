/** Attacks on the life of sessions and transfers: cut at any stage (50), made long (53), made slow (54). */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type Socket, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { FerrymanEvent } from "../../src/workspace/events.ts";
import { freeRange, leftovers, openThings, until } from "../support/attack.ts";
import { startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

const faults: unknown[] = [];
const note = (error: unknown): void => {
  faults.push(error);
};
process.on("unhandledRejection", note);
process.on("uncaughtException", note);
after(() => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
});

const CONTENT = Buffer.alloc(9_000_000, "0123456789abcdef");

type Stage = { readonly wire: Wire; readonly data: Socket | undefined };

/** What breaks in on the transfer. */
const CUTS: Readonly<Record<string, (stage: Stage) => void>> = {
  abort: ({ wire }) => wire.send("ABOR"),
  "control closed": ({ wire }) => wire.socket.destroy(),
  "control reset": ({ wire }) => wire.socket.resetAndDestroy(),
  // A reset behind our own FIN is none: libuv refuses it, and the descriptor stays.
  "data reset": ({ data }) => (data?.writableEnded === true ? data.destroy() : data?.resetAndDestroy()),
  "data closed": ({ data }) => data?.destroy(),
};

/** How far the transfer is when the cut comes. */
const STAGES = ["planned", "connected", "asked", "asked, not connected", "announced", "moving", "over"] as const;
type StageName = (typeof STAGES)[number];

const VERBS = ["RETR large.bin", "STOR new", "APPE grown", "LIST many"] as const;
type Case = { readonly line: string; readonly up: boolean; readonly stage: StageName; readonly cut: string };

/** Every combination, the uploads each to a file of its own. */
function cases(): Case[] {
  return VERBS.flatMap((verb) =>
    STAGES.flatMap((stage, at) =>
      Object.keys(CUTS).map((cut, turn) => {
        const up = /^(?:STOR|APPE)/.test(verb);
        return { line: up ? `${verb}-${at}-${turn}` : verb, up, stage, cut };
      }),
    ),
  );
}

/** Goes as far as the stage says. @returns what is there to cut. */
async function reach(port: number, { line, up, stage }: Case): Promise<Stage> {
  const wire = await Wire.login(port);
  await wire.expect(200, "TYPE I");
  const passive = await wire.passivePort();
  if (stage === "planned") return { wire, data: undefined };
  if (stage === "asked, not connected") {
    wire.send(line);
    return { wire, data: undefined };
  }
  const data = createConnection({ host: "127.0.0.1", port: passive.port, allowHalfOpen: true });
  data.on("error", () => {});
  await once(data, "connect");
  if (stage === "connected") return { wire, data };
  wire.send(line);
  if (stage === "asked") return { wire, data };
  await wire.expect(150);
  if (stage === "announced") return { wire, data };
  if (up) data.write(CONTENT.subarray(0, 3_000_000));
  else {
    await once(data, "readable");
    data.read();
  }
  if (stage === "moving") return { wire, data };
  if (up) data.end();
  data.resume();
  return { wire, data };
}

/** The session is as it was before: what came is in order and ends with the answer to SYST. */
async function demandLife(wire: Wire, label: string): Promise<void> {
  wire.send("SYST");
  const codes: number[] = [];
  for (let code = 0; code !== 215; codes.push(code)) {
    try {
      ({ code } = await wire.reply());
    } catch (error) {
      throw new Error(`${label}: after ${codes.join()}`, { cause: error });
    }
  }
  // At most 150, the transfer's end, and ABOR's own.
  assert.ok(codes.length <= 4, `${label}: ${codes.join()}`);
}

async function play(port: number, one: Case): Promise<void> {
  const at = await reach(port, one);
  CUTS[one.cut]?.(at);
  if (!one.cut.startsWith("control")) {
    // A client that ends a transfer hangs up; a download that nobody reads would wait for it.
    if (one.cut === "abort") at.data?.destroy();
    await demandLife(at.wire, `${one.line}, ${one.stage}, ${one.cut}`);
  }
  at.data?.destroy();
  at.wire.socket.destroy();
}

test("attack 50: ABOR, close and reset at every stage of a transfer leave nothing behind", async () => {
  const passivePorts = await freeRange(24);
  await using server = await startServer({ settings: { dataOpenTimeout: 1, passivePorts } });
  const queue = cases();
  writeFileSync(join(server.root, "large.bin"), CONTENT);
  mkdirSync(join(server.root, "many"));
  for (let index = 0; index < 3_000; index++)
    writeFileSync(join(server.root, "many", `${"n".repeat(200)}${index}`), "");
  for (const { line } of queue)
    if (line.startsWith("APPE ")) writeFileSync(join(server.root, line.slice(5)), "at first");
  using keeper = await Wire.login(server.port);
  await keeper.fetch("LIST");

  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await play(server.port, next);
  };
  await Promise.all(Array.from({ length: 12 }, work));

  await until("all sessions but one are over", () => server.server.who.list().length === 1);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    server.events.filter(({ type }) => type === "server.fault"),
    [],
  );
  // The kept part of a broken upload waits to be resumed; a temporary is nobody's.
  assert.deepEqual(
    leftovers(server.root).filter((name) => name.includes("-tmp")),
    [],
  );
  demandWholeFiles(server.root);
  // The two ends of the keeper's connection are left.
  await until("every socket is closed", () => openThings(server.root).connected === 2);
  await until("every file is closed", () => openFiles(server.root) === 0);

  // All leases were given back: so many sessions can have a port each.
  const ports = passivePorts.last - passivePorts.first + 1;
  const sessions = await Promise.all(Array.from({ length: ports }, async () => Wire.login(server.port)));
  await Promise.all(sessions.map(async (wire) => wire.expect(229, "EPSV")));
  for (const wire of sessions) wire.socket.destroy();

  // One event for each upload and download that began.
  const asked = server.events.filter((event) => event.type === "command" && /^(?:RETR|STOR|APPE)$/.test(event.verb));
  const told = server.events.filter((event) => event.type === "transfer" && event.direction !== "listing");
  assert.ok(asked.length >= 70, `${asked.length} transfers`);
  assert.deepEqual(sessionsOf(told), sessionsOf(asked));
});

/** The journal of the storage stays open; it is not a client's. */
function openFiles(root: string): number {
  return openThings(root).files.filter((name) => name !== "" && !name.includes("journal")).length;
}

/** A new file is whole or not there; one that was appended to has its first content at least. */
function demandWholeFiles(root: string): void {
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (name.startsWith("new-")) assert.ok([0, 3_000_000].includes(statSync(path).size), name);
    if (name.startsWith("grown-")) assert.equal(readFileSync(path).subarray(0, 8).toString(), "at first", name);
  }
}

function sessionsOf(events: readonly FerrymanEvent[]): readonly string[] {
  return events.map((event) => ("session" in event ? (event.session ?? "") : "")).toSorted();
}

/** Octets; sparse, so that the disk has nothing to do. */
const LONG = 3 * 1024 ** 3;
/** Octets that the server may grow by meanwhile: its buffers, and what V8 has not collected. */
const GROWTH = 64 * 1024 ** 2;

test("attack 53: gigabytes through one session leave memory as it was", async () => {
  const root = mkdtempSync(join(tmpdir(), "ferryman-long-"));
  writeFileSync(join(root, "long.bin"), "");
  truncateSync(join(root, "long.bin"), LONG);
  // In a process of its own: the client's buffers are none of the server's.
  const child = fork(join(import.meta.dirname, "..", "support", "serve-folder.ts"), [root]);
  try {
    const [port]: unknown[] = await once(child, "message");
    const memory = (): number =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024;
    using wire = await Wire.login(Number(port));
    await wire.expect(200, "TYPE I");
    await download(wire, "RANG 0 268435455");
    const before = memory();
    let most = 0;
    const received = await download(wire, "REST 0", () => {
      most = Math.max(most, memory());
    });
    assert.equal(received, LONG);
    assert.ok(most > 0 && most - before < GROWTH, `grew by ${Math.round((most - before) / 1024 ** 2)} MiB`);
  } finally {
    child.kill("SIGKILL");
    rmSync(root, { recursive: true, force: true });
  }
});

/** Receives into one buffer. @returns the count of octets. */
async function download(wire: Wire, first: string, look: () => void = () => {}): Promise<number> {
  const { port } = await wire.passivePort();
  await wire.expect(350, first);
  let received = 0;
  let chunks = 0;
  const data = createConnection({
    host: "127.0.0.1",
    port,
    onread: {
      buffer: Buffer.allocUnsafeSlow(1_048_576),
      callback: (count) => {
        received += count;
        chunks += 1;
        if (chunks % 256 === 0) look();
        return true;
      },
    },
  });
  const ended = once(data, "close");
  await wire.expect(150, "RETR long.bin");
  await ended;
  await wire.expect(226);
  return received;
}

const SLOW = 200;

test("attack 54: slow clients are shown out in time, and keep nobody from signing in", async () => {
  await using server = await startServer({ settings: { loginTimeout: 1 } });
  const started = performance.now();
  const slow = await Promise.all(
    Array.from({ length: SLOW }, async () => {
      const wire = await Wire.open(server.port);
      wire.socket.write("U");
      return wire;
    }),
  );
  const times: number[] = [];
  for (let turn = 0; turn < 40; turn++) {
    const begun = performance.now();
    using quick = await Wire.login(server.port);
    await quick.expect(257, "PWD");
    times.push(performance.now() - begun);
  }
  const p95 = times.toSorted((one, other) => one - other)[37] ?? Infinity;
  assert.ok(p95 < 100, `p95 of logins: ${p95} ms`);
  for (const wire of slow) {
    await wire.expect(421);
    await wire.closed();
    wire.socket.destroy();
  }
  const waited = performance.now() - started;
  assert.ok(waited >= 900, `shown out after ${waited} ms`);
  await until("nobody is left", () => server.server.who.list().length === 0);
});

test("attack 54: a client that never reads its replies does not outlive the time to sign in", async () => {
  await using server = await startServer({ settings: { loginTimeout: 1 } });
  const wire = await Wire.open(server.port);
  wire.socket.pause();
  const many = Buffer.from("FEAT\r\n".repeat(20_000));
  wire.socket.write(many);
  await until("it is out", () => server.server.who.list().length === 0);
  wire.socket.destroy();
});

test("attack 54: an upload that stalls ends with 426", async () => {
  await using server = await startServer({ settings: { stallTimeout: 1 } });
  using wire = await Wire.login(server.port);
  const data = await wire.passive();
  await wire.expect(150, "STOR slow.txt");
  data.write("x");
  const [reply] = await wire.expect(426);
  assert.match(reply ?? "", /stalled/);
  assert.equal(existsSync(join(server.root, "slow.txt")), false);
  await wire.expect(200, "NOOP");
  data.destroy();
});

test("attack 54: a download that nobody reads ends with 426", async () => {
  await using server = await startServer({ settings: { stallTimeout: 1 } });
  writeFileSync(join(server.root, "large.bin"), Buffer.alloc(30_000_000));
  using wire = await Wire.login(server.port);
  await wire.expect(200, "TYPE I");
  const data = await wire.passive();
  data.pause();
  await wire.expect(150, "RETR large.bin");
  await wire.expect(426);
  await wire.expect(200, "NOOP");
  data.destroy();
});
