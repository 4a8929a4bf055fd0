import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import { DataError } from "./data-connection.ts";
import { CodingError, type CodingTerms, DeflatedConnection, takeCodingPlace } from "./deflated-connection.ts";
import { CODED_AT_ONCE, INFLATE_GRACE } from "./limits.ts";
import type { DataTransport } from "./transport.ts";

/** A connection below: gives the buffers that it was made of, and then `end`, which may be a fault. */
class Below implements DataTransport {
  readonly memory = 1_048_576;
  readonly sent: Buffer[] = [];
  readonly #incoming: Buffer[];
  readonly #end: Error | undefined;
  received = 0;
  finished = false;
  disposed = false;

  constructor(incoming: readonly Buffer[] = [], end?: Error) {
    this.#incoming = [...incoming];
    this.#end = end;
  }

  async send(chunk: Buffer): Promise<void> {
    this.sent.push(Buffer.from(chunk));
  }

  async finish(): Promise<void> {
    this.finished = true;
  }

  async receive(): Promise<readonly Buffer[]> {
    assert.ok(!this.disposed, "asked for more once it was closed");
    this.received += 1;
    const next = this.#incoming.shift();
    if (next !== undefined) return [next];
    if (this.#end !== undefined) throw this.#end;
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }
}

const FAST: CodingTerms = { level: 1 };

async function receiveAll(below: Below, terms = FAST): Promise<Buffer> {
  await using connection = new DeflatedConnection(below, terms);
  const parts: Buffer[] = [];
  for (;;) {
    const chunks = await connection.receive();
    if (chunks.length === 0) return Buffer.concat(parts);
    parts.push(...chunks);
  }
}

/** @returns what came before the fault, and what the fault was. */
async function receiveFault(below: Below, terms = FAST): Promise<{ octets: number; fault: string }> {
  await using connection = new DeflatedConnection(below, terms);
  let octets = 0;
  try {
    for (;;) {
      const chunks = await connection.receive();
      if (chunks.length === 0) return { octets, fault: "none" };
      for (const chunk of chunks) octets += chunk.length;
    }
  } catch (error) {
    if (error instanceof CodingError || error instanceof DataError) return { octets, fault: error.fault };
    throw error;
  }
}

async function faultOf(...chunks: readonly Buffer[]): Promise<string> {
  return (await receiveFault(new Below(chunks))).fault;
}

function cut(octets: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((place) => place % (octets.length + 1)), octets.length].toSorted((a, b) => a - b);
  return edges.slice(1).map((end, at) => octets.subarray(edges[at], end));
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc
    .record({ octet: fc.nat(255), length: fc.nat(400_000) })
    .map(({ octet, length }) => new Uint8Array(length).fill(octet)),
);
const places = fc.array(fc.nat(500_000), { maxLength: 6 });

test("what is sent is one zlib stream of all octets, at each level and however they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(content, places, fc.integer({ min: 1, max: 9 }), async (octets, at, level) => {
      const below = new Below();
      await using connection = new DeflatedConnection(below, { level });
      let counted = 0;
      for (const chunk of cut(Buffer.from(octets), at)) {
        await connection.send(chunk, (count) => {
          counted += count;
        });
      }
      await connection.finish();
      assert.ok(below.finished);
      assert.ok(inflateSync(Buffer.concat(below.sent)).equals(octets));
      assert.equal(counted, octets.length);
    }),
    { numRuns: 60 },
  );
});

test("a zlib stream is received as what it was made of, however the network cuts it", async () => {
  await fc.assert(
    fc.asyncProperty(content, places, fc.integer({ min: 0, max: 9 }), async (octets, at, level) => {
      const wire = deflateSync(octets, { level });
      assert.ok((await receiveAll(new Below(cut(wire, at)))).equals(octets));
    }),
    { numRuns: 100 },
  );
});

test("attack 52: whatever comes instead of a zlib stream ends in a fault, and never in a whole file", async () => {
  const wire = deflateSync(Buffer.from("some text that is long enough to be cut, changed and followed by more"));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.nat(wire.length - 1).map((length) => wire.subarray(0, length)),
        fc.uint8Array({ minLength: 1, maxLength: 80 }).map((more) => Buffer.concat([wire, more])),
        fc.record({ at: fc.nat(wire.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
          const changed = Buffer.from(wire);
          // The bits that fill up the last octet of the blocks mean nothing; the checksum's four octets follow it.
          const place = at === wire.length - 5 ? 0 : at;
          changed[place] = (changed[place] ?? 0) ^ (1 << bit);
          return changed;
        }),
      ),
      places,
      async (octets, at) => {
        const { fault } = await receiveFault(new Below(cut(octets, at)));
        assert.match(fault, /^(?:corrupt|trailing|incomplete)$/);
      },
    ),
    { numRuns: 300 },
  );
});

test("attack 52: an end before zlib's own, damage and a second stream are told apart", async () => {
  const wire = deflateSync("text");
  assert.equal(await faultOf(), "incomplete");
  assert.equal(await faultOf(wire.subarray(0, 2)), "incomplete");
  assert.equal(await faultOf(wire.subarray(0, -1)), "incomplete");
  assert.equal(await faultOf(Buffer.from("plain text")), "corrupt");
  assert.equal(await faultOf(wire.subarray(0, -1), Buffer.of(0)), "corrupt");
  assert.equal(await faultOf(deflateSync("text", { dictionary: Buffer.from("text") })), "corrupt");
  assert.equal(await faultOf(wire, wire), "trailing");
  assert.equal(await faultOf(Buffer.concat([wire, wire])), "trailing");
  assert.equal(await faultOf(wire, Buffer.of(0)), "trailing");
  assert.equal(await faultOf(wire), "none");
});

test("attack 52: a bomb brings no more than the grace and what it sent times the ratio", async () => {
  const bomb = deflateSync(Buffer.alloc(40_000_000), { level: 9 });
  const terms = { level: 1, ratio: 20, grace: 1_000_000 };
  const { octets, fault } = await receiveFault(new Below(cut(bomb, [1_000, 2_000, 10_000])), terms);
  assert.equal(fault, "expands");
  assert.ok(octets <= 1_000_000 + 20 * bomb.length, `${octets} octets for ${bomb.length}`);
  assert.equal((await receiveFault(new Below([bomb]), { level: 1, grace: INFLATE_GRACE })).fault, "expands");
  assert.equal((await receiveAll(new Below([bomb]), { level: 1, grace: 40_000_000, ratio: 0 })).length, 40_000_000);
});

test("attack 52: no more is inflated than is taken, so a bomb does not lie in memory", async () => {
  const octets = Buffer.alloc(15_000_000);
  const below = new Below([deflateSync(octets), deflateSync(octets)]);
  await using connection = new DeflatedConnection(below, FAST);
  for (let turn = 0; turn < 5; turn += 1) {
    const [chunk] = await connection.receive();
    assert.ok(chunk !== undefined && chunk.length <= 262_144, `${chunk?.length} octets at once`);
  }
  assert.equal(below.received, 1);
});

test("a fault of the connection comes through, after what came before it", async () => {
  const wire = deflateSync(Buffer.alloc(300_000, "text"), { level: 0 });
  const below = new Below([wire.subarray(0, 200_000)], new DataError("reset"));
  const { octets, fault } = await receiveFault(below);
  assert.equal(fault, "reset");
  assert.ok(octets > 100_000 && octets < 200_000, `${octets}`);
});

test("a fault while sending is told, and its end leaves nothing running", async () => {
  const below = new Below();
  below.send = async () => {
    throw new DataError("closed");
  };
  const connection = new DeflatedConnection(below, FAST);
  const random = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * at * 7_919) >> 5));
  await assert.rejects(async () => {
    for (let turn = 0; turn < 20; turn += 1) await connection.send(random);
  }, DataError);
  const late = connection.send(random);
  await connection[Symbol.asyncDispose]();
  await assert.rejects(late, DataError);
  assert.ok(below.disposed);
});

test("a connection that is closed in the middle of an upload is not asked for more", async () => {
  const wire = deflateSync(Buffer.alloc(5_000_000));
  const below = new Below([wire.subarray(0, 1_000), wire.subarray(1_000)]);
  const connection = new DeflatedConnection(below, FAST);
  await connection.receive();
  await connection[Symbol.asyncDispose]();
  await assert.rejects(async () => {
    while ((await connection.receive()).length > 0);
  }, DataError);
});

test("so many compressed transfers have a place at once, and no more", () => {
  using taken = new DisposableStack();
  for (let count = 0; count < CODED_AT_ONCE; count += 1) {
    const place = takeCodingPlace();
    assert.ok(place !== undefined);
    taken.use(place);
  }
  assert.equal(takeCodingPlace(), undefined);
  taken.dispose();
  const place = takeCodingPlace();
  assert.ok(place !== undefined);
  place[Symbol.dispose]();
});
