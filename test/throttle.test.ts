/**
 * Rates over the wire (features.md B10). Downloads are measured where the client reads: it reads at once, so no buffer
 * stands between. Of uploads the kernels take some 100 KiB ahead of the server, so they are measured by what STAT
 * says, which counts what the server has taken for the file.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Transferred } from "../src/workspace/events.ts";
import { type TestServer, startServer } from "./support/server.ts";
import { Wire, readAll } from "./support/wire.ts";

const KIB = 1_024;
const MIB = KIB * KIB;
/** What a second may see, of the rate. */
const MOST = 1.1;

type Move = { readonly at: number; readonly octets: number };

/** Notes what arrives, until the server's FIN. */
async function arrivals(socket: Socket): Promise<readonly Move[]> {
  const moves: Move[] = [];
  socket.on("data", (chunk: Buffer) => moves.push({ at: performance.now(), octets: chunk.length }));
  await once(socket, "end");
  socket.end();
  return moves;
}

function sum(moves: readonly Move[]): number {
  return moves.reduce((total, { octets }) => total + octets, 0);
}

/**
 * The most octets in any ten neighbouring buckets of 100 ms. What arrived just before a bucket's edge may be noted just
 * behind it, when this process is busy: the octets of 20 ms are forgiven for that.
 */
function mostInASecond(moves: readonly Move[], rate: number): number {
  const started = moves[0]?.at ?? 0;
  const buckets: number[] = [];
  for (const { at, octets } of moves) {
    const bucket = Math.floor((at - started) / 100);
    buckets[bucket] = (buckets[bucket] ?? 0) + octets;
  }
  let most = 0;
  for (let first = 0; first < buckets.length; first += 1) {
    const inside = buckets.slice(first, first + 10).reduce((total, octets) => total + (octets ?? 0), 0);
    most = Math.max(most, inside);
  }
  return most - 0.02 * rate;
}

/** A file of random octets in the served folder. */
async function putFile({ root }: TestServer, name: string, size: number): Promise<Buffer> {
  const content = randomBytes(size);
  await writeFile(join(root, name), content);
  return content;
}

/** A whole download. @returns its arrivals. */
async function download(wire: Wire, name: string): Promise<readonly Move[]> {
  await wire.expect(200, "TYPE I");
  const socket = await wire.passive();
  await wire.expect(150, `RETR ${name}`);
  return arrivals(socket);
}

/** Milliseconds that a timer may be late before a rate loses by it (RATE_DEPTH_SECONDS), and between looks at that. */
const FORGIVEN_MS = 50;
const LOOK_MS = 10;

/**
 * Seconds that something took, and how many of them this process, the server in it, had the processor: on a busy
 * machine it stands still at times, and what is lost by that is never made good in a burst.
 */
async function timed(act: () => Promise<unknown>): Promise<{ readonly seconds: number; readonly awake: number }> {
  const started = performance.now();
  let last = started;
  let lost = 0;
  const look = (): void => {
    const now = performance.now();
    lost += Math.max(0, now - last - FORGIVEN_MS);
    last = now;
  };
  const timer = setInterval(look, LOOK_MS);
  await act();
  look();
  clearInterval(timer);
  return { seconds: (last - started) / 1000, awake: (last - started - lost) / 1000 };
}

/** As long as a rate lets so many of its seconds take: no faster than 110 %, no slower than 90 %. */
function assertTook({ seconds, awake }: { seconds: number; awake: number }, ofRate: number): void {
  assert.ok(seconds > ofRate / MOST, `${seconds} s`);
  assert.ok(awake < ofRate / 0.9, `${seconds} s, ${awake} s awake`);
}

/** Octets moved so far, as STAT tells. */
async function moved(wire: Wire): Promise<number> {
  const lines = await wire.expect(211, "STAT");
  return Number(/, (\d+) bytes so far/.exec(lines.join("\n"))?.[1] ?? Number.NaN);
}

function transfers(server: TestServer): readonly Transferred[] {
  return server.events.filter((event) => event.type === "transfer");
}

suite("rates over the wire", { concurrency: true }, () => {
  test("a download keeps to the session's rate: in no second more than 110 %, in all 90 % at least", async () => {
    await using server = await startServer({ settings: { downloadRate: MIB } });
    const content = await putFile(server, "file", 2 * MIB);
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const socket = await wire.passive();
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    let moves: readonly Move[] = [];
    const took = await timed(async () => {
      await wire.expect(150, "RETR file");
      moves = await arrivals(socket);
      await wire.expect(226);
    });
    assert.ok(Buffer.concat(received).equals(content));
    assert.ok(mostInASecond(moves, MIB) <= MOST * MIB, `${mostInASecond(moves, MIB) / MIB} of the rate`);
    assertTook(took, 2);
  });

  test("an upload keeps to it too, and the client is slowed down", async () => {
    await using server = await startServer({ settings: { uploadRate: MIB } });
    using wire = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const content = randomBytes(2 * MIB);
    const socket = await wire.passive();
    await wire.expect(150, "STOR file");
    socket.end(content);
    socket.resume();
    const samples: { readonly at: number; readonly octets: number }[] = [];
    let last = 0;
    const took = await timed(async () => {
      while (last < content.length) {
        await delay(50);
        const at = performance.now();
        const { code, lines } = await wire.ask("STAT");
        if (code === 226) break;
        assert.equal(code, 211);
        const now = Number(/, (\d+) bytes so far/.exec(lines.join("\n"))?.[1] ?? content.length);
        samples.push({ at, octets: now - last });
        last = now;
      }
    });
    assert.ok(mostInASecond(samples, MIB) <= MOST * MIB, `${mostInASecond(samples, MIB) / MIB} of the rate`);
    assertTook(took, 2);
    wire.send("QUIT");
    while ((await wire.reply()).code !== 221);
    assert.ok((await readFile(join(server.root, "file"))).equals(content));
  });

  test("sessions of one account share its rate, in equal parts, and one alone has all of it", async () => {
    await using server = await startServer({ account: { limits: { downloadRate: MIB } } });
    await putFile(server, "file", MIB);
    await putFile(server, "half", MIB / 2);
    using first = await Wire.login(server.port);
    using second = await Wire.login(server.port);
    let long: readonly Move[] = [];
    let short: readonly Move[] = [];
    const took = await timed(async () => {
      [long, short] = await Promise.all([download(first, "file"), download(second, "half")]);
    });
    const begun = long.findIndex(({ at }) => at > (short.at(-1)?.at ?? 0));
    const meanwhile = sum(long.slice(0, begun));
    const moves = [...long, ...short];
    assert.equal(sum(moves), 1.5 * MIB);
    assert.ok(Math.abs(meanwhile / (MIB / 2) - 1) < 0.15, `${meanwhile} octets while the other got 524288`);
    assertTook(took, 1.5);
    const sorted = moves.toSorted((left, right) => left.at - right.at);
    assert.ok(mostInASecond(sorted, MIB) <= MOST * MIB, `${mostInASecond(sorted, MIB) / MIB} of the rate`);
  });

  test("all accounts together keep to the server's rate", async () => {
    await using server = await startServer({ settings: { serverDownloadRate: MIB } });
    await putFile(server, "file", 0.75 * MIB);
    using ann = await Wire.login(server.port);
    using guest = await Wire.login(server.port, { user: "anonymous" });
    const took = await timed(async () => {
      await Promise.all([download(ann, "file"), download(guest, "file")]);
    });
    assertTook(took, 1.5);
  });

  test("an account's own session rate stands for the server's, and 0 lifts it", async () => {
    const limits = { sessionDownloadRate: 0, sessionUploadRate: 100 * KIB };
    await using server = await startServer({ settings: { downloadRate: 1, uploadRate: 1 }, account: { limits } });
    await putFile(server, "file", MIB);
    using wire = await Wire.login(server.port);
    assert.ok((await timed(async () => wire.fetch("RETR file"))).awake < 1);
    const took = await timed(async () => wire.store("STOR new", Buffer.alloc(50 * KIB)));
    // 7 % of a second's octets lay ready.
    assert.ok(took.seconds > 0.4 && took.awake < 1, `${took.seconds} s`);
  });

  test("a listing counts as a download", async () => {
    await using server = await startServer({ settings: { downloadRate: 2 * KIB } });
    await Promise.all(Array.from({ length: 20 }, async (_, at) => putFile(server, "x".repeat(48) + (at + 10), 1)));
    using wire = await Wire.login(server.port);
    const took = await timed(async () => assert.equal((await wire.fetch("NLST")).data.length, 20 * 52));
    assert.ok(took.seconds > 0.4, `${took.seconds} s`);
  });

  test("STAT tells how far a slow transfer is, and ABOR ends it within 200 ms, both ways", async () => {
    await using server = await startServer({ settings: { downloadRate: KIB, uploadRate: KIB } });
    await putFile(server, "file", MIB);
    using wire = await Wire.login(server.port);
    for (const command of ["RETR file", "STOR new"]) {
      const socket = await wire.passive();
      await wire.expect(150, command);
      if (command.startsWith("STOR")) socket.write(Buffer.alloc(MIB));
      else socket.resume();
      await delay(300);
      const octets = await moved(wire);
      assert.ok(octets >= 100 && octets <= 1_000, `${octets} octets`);
      const took = await timed(async () => {
        await wire.expect(426, "ABOR");
        await wire.expect(226);
      });
      assert.ok(took.awake < 0.2, `${took.seconds} s`);
    }
    assert.deepEqual(
      transfers(server).map(({ outcome, octets }) => [outcome, octets < 2_000]),
      [
        ["aborted", true],
        ["aborted", true],
      ],
    );
  });

  test("a transfer that we slow down is not stalled, and one that the peer leaves lying is", async () => {
    await using server = await startServer({ settings: { stallTimeout: 1, downloadRate: KIB, uploadRate: KIB } });
    const content = await putFile(server, "file", 3 * KIB);
    using wire = await Wire.login(server.port);
    using other = await Wire.login(server.port);
    await wire.expect(200, "TYPE I");
    const [fetched, codes] = await Promise.all([wire.fetch("RETR file"), other.store("STOR new", content)]);
    assert.deepEqual(
      [fetched.codes, codes],
      [
        [150, 226],
        [150, 226],
      ],
    );
    assert.ok(fetched.data.equals(content));
    const socket = await wire.passive();
    await wire.expect(150, "STOR never");
    socket.write("a beginning");
    const took = await timed(async () => wire.expect(426));
    assert.ok(took.seconds >= 0.9 && took.awake < 3, `${took.seconds} s`);
  });

  test("a turn that is longer in coming than the stall time is waited for", async () => {
    await using server = await startServer({ settings: { stallTimeout: 1, serverDownloadRate: 1 } });
    await putFile(server, "file", 2);
    using first = await Wire.login(server.port);
    using second = await Wire.login(server.port);
    // The content is random, and one LF in it would be two octets in ASCII.
    await Promise.all([first.expect(200, "TYPE I"), second.expect(200, "TYPE I")]);
    // Two sessions at one octet a second: each waits for longer than the stall time.
    const sockets = await Promise.all([first.passive(), second.passive()]);
    await Promise.all([first.expect(150, "RETR file"), second.expect(150, "RETR file")]);
    const read = await Promise.all(sockets.map(readAll));
    assert.deepEqual(
      read.map(({ length }) => length),
      [2, 2],
    );
    await Promise.all([first.expect(226), second.expect(226)]);
  });

  test("without a limit nothing waits", async () => {
    await using server = await startServer();
    await putFile(server, "file", 8 * MIB);
    using wire = await Wire.login(server.port);
    assert.ok((await timed(async () => wire.fetch("RETR file"))).awake < 2);
  });
});
