/** Uploads over TLS on a bare descriptor: whole only by the peer's close_notify, however its octets are cut into segments. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { type TLSSocket, connect } from "node:tls";
import fc from "fast-check";
import { loadDataCalls } from "../../sys/data-calls.ts";
import { DataConnection, DataError, type DataTerms } from "../data-connection.ts";
import { SocketEnd } from "../data-end.ts";
import { RateLimiter } from "../rate-limiter.ts";
import { Throttle } from "../throttle.ts";
import { DescriptorTap } from "./descriptor-tap.ts";
import { handshake } from "./handshake.ts";
import { Inflow } from "./inflow.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { TlsSession } from "./session.ts";
import { type Pair, connected } from "./test-sockets.ts";

const calls = loadDataCalls();
const options = { skip: calls === undefined ? "there is no native data path here" : false };
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
type Version = (typeof VERSIONS)[number];

const CERTIFICATE = makeSelfSigned({ names: ["localhost"], days: 2, now: Date.now() });
const SESSION = new TlsSession(
  { credentials: { choose: () => CERTIFICATE }, minimum: "TLSv1.2", clientCertificates: "off" },
  undefined,
);

/** Below a TLS client: passes its octets on, or keeps them. */
class Wire extends Duplex {
  readonly #socket: Socket;
  kept: Buffer[] | undefined;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.push(chunk));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.kept === undefined) this.#socket.write(chunk, done);
    else {
      this.kept.push(Buffer.from(chunk));
      done();
    }
  }
}

/** Not once(): it would take the tap's own error for a failure of the test. */
async function closed(tap: DescriptorTap): Promise<void> {
  if (!tap.closed) await new Promise<void>((resolve) => tap.once("close", () => resolve()));
}

type Upload = AsyncDisposable & {
  readonly pair: Pair;
  readonly client: TLSSocket;
  readonly wire: Wire;
  readonly tap: DescriptorTap;
  readonly inflow: Inflow | undefined;
  readonly connection: DataConnection;
};

async function upload(
  version: Version,
  terms: Partial<DataTerms> & { readonly plain?: boolean } = {},
): Promise<Upload> {
  assert.ok(calls !== undefined);
  const pair = await connected();
  const descriptor = new SocketEnd(pair.server, calls).toDescriptor();
  assert.ok(descriptor !== undefined);
  const tap = new DescriptorTap({ descriptor, peer: { address: "127.0.0.1", port: 1 } }, calls);
  const secured = SESSION.wrapData(tap);
  const inflow = terms.plain === true ? undefined : Inflow.of(secured, tap);
  assert.equal(inflow === undefined, terms.plain === true, "this Node decrypts into buffers of ours");
  const wire = new Wire(pair.client);
  const client = connect({ socket: wire, rejectUnauthorized: false, maxVersion: version, ALPNProtocols: ["ftp"] });
  client.on("error", () => {});
  const { signal } = new AbortController();
  await Promise.all([handshake(secured, { timeoutMs: 10_000, signal, tap }), once(client, "secureConnect")]);
  const connection = new DataConnection(
    { socket: secured, raw: tap, tap, inflow },
    { stallMs: 20_000, signal, ...terms },
  );
  const end = async (): Promise<void> => {
    await connection[Symbol.asyncDispose]();
    client.destroy();
    pair[Symbol.dispose]();
    await closed(tap);
  };
  return { pair, client, wire, tap, inflow, connection, [Symbol.asyncDispose]: end };
}

/** @throws {DataError} */
async function receiveAll(connection: DataConnection, pause?: () => Promise<void>): Promise<Buffer> {
  const all: Buffer[] = [];
  for (;;) {
    const chunks = await connection.receive();
    if (chunks.length === 0) return Buffer.concat(all);
    await pause?.();
    all.push(Buffer.concat(chunks));
  }
}

/** All that the client has to say, its farewell included. */
async function ciphertext({ client, wire }: Upload, content: Buffer): Promise<Buffer> {
  wire.kept = [];
  // In pieces of several sizes, so that there are records of all lengths.
  for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7) % 20_011) {
    client.write(content.subarray(at, at + size));
  }
  await new Promise<void>((resolve) => client.end(resolve));
  return Buffer.concat(wire.kept);
}

async function deliver({ pair }: Upload, octets: Buffer, sizes: readonly number[]): Promise<void> {
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pair.client.write(octets.subarray(at, at + size));
    at += size;
    await new Promise(setImmediate);
  }
  pair.client.end();
}

const isTruncated = (error: unknown): boolean => error instanceof DataError && error.fault === "truncated";

/** Octets of an alert's record that says close_notify: with explicit nonce and tag, and hidden (RFC 5246 §6.2.3.3, RFC 8446 §5.2). */
const FAREWELL = { "TLSv1.2": 31, "TLSv1.3": 24 } as const;

for (const version of VERSIONS) {
  test(`attack 14: whole by close_notify, cut without it, in segments of any size, ${version}`, options, async () => {
    const content = fc.integer({ min: 0, max: 200_000 }).map((length) => Buffer.alloc(length, "some content "));
    const sizes = fc.array(fc.integer({ min: 400, max: 40_000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(content, sizes, fc.option(fc.nat()), fc.boolean(), async (octets, segments, cut, plain) => {
        await using each = await upload(version, { plain });
        const all = await ciphertext(each, octets);
        const received = receiveAll(each.connection);
        const sent = deliver(each, cut === null ? all : all.subarray(0, cut % all.length), segments);
        if (cut === null) assert.ok((await received).equals(octets));
        else await assert.rejects(received, isTruncated);
        await sent;
      }),
      { numRuns: 40 },
    );
  });

  const endings: readonly (readonly [string, (all: number) => readonly number[]])[] = [
    ["in one segment with the last record", (all) => [all]],
    ["in a segment of its own", (all) => [all - FAREWELL[version], FAREWELL[version]]],
    ["octet by octet", () => [1]],
  ];
  for (const [how, segments] of endings) {
    test(`attack 14: the farewell ${how}, and without its last octet, ${version}`, options, async () => {
      const content = Buffer.alloc(300, "x");
      for (const missing of [0, 1, FAREWELL[version]]) {
        await using each = await upload(version);
        const all = await ciphertext(each, content);
        const received = receiveAll(each.connection);
        const sent = deliver(each, all.subarray(0, all.length - missing), segments(all.length - missing));
        if (missing === 0) assert.ok((await received).equals(content));
        else await assert.rejects(received, isTruncated);
        await sent;
      }
    });
  }

  test(`many octets in little memory, and a reader that is slow, ${version}`, options, async () => {
    const content = Buffer.alloc(3_000_000);
    for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at, at);
    for (const memory of [1, 65_536, 1_048_576]) {
      await using each = await upload(version, { memory });
      each.client.end(content);
      const received = await receiveAll(each.connection, async () => new Promise(setImmediate));
      assert.ok(received.equals(content), `${memory} octets`);
    }
  });
}

test("a reader that does not read stops the peer", options, async () => {
  const memory = 131_072;
  await using each = await upload("TLSv1.3", { memory });
  const content = Buffer.alloc(20_000_000, "y");
  const first = each.connection.receive();
  each.client.end(content);
  let octets = Buffer.concat(await first).length;
  while (!each.tap.isPaused()) await new Promise(setImmediate);
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  const held = each.inflow?.octets ?? 0;
  assert.ok(held > 0 && held <= memory / 2, `${held} octets lie there`);
  octets += (await receiveAll(each.connection)).length;
  assert.equal(octets, content.length);
});

test("a throttle holds for uploads over TLS, and loses nothing", options, async () => {
  await using each = await upload("TLSv1.3", { throttle: new Throttle([new RateLimiter(4_000_000)]) });
  const content = Buffer.alloc(1_200_000, "0123456789abcdef");
  const started = performance.now();
  each.client.end(content);
  assert.ok((await receiveAll(each.connection)).equals(content));
  assert.ok(performance.now() - started > 150, "1.2 MB at 4 MB/s");
});

test("a reset, silence and an abort are told by their names, and nothing is left open", options, async () => {
  const controller = new AbortController();
  const faults: readonly (readonly [string, Partial<DataTerms>, (each: Upload) => void])[] = [
    ["reset", {}, ({ pair }) => void pair.client.resetAndDestroy()],
    ["stalled", { stallMs: 30 }, () => {}],
    ["aborted", { signal: controller.signal }, () => controller.abort()],
    ["closed", {}, ({ tap }) => void tap.destroy()],
  ];
  for (const [fault, terms, act] of faults) {
    await using each = await upload("TLSv1.3", terms);
    each.client.write("half of a file");
    assert.equal(Buffer.concat(await each.connection.receive()).toString(), "half of a file");
    const next = assert.rejects(each.connection.receive(), (error: Error) => {
      assert.ok(error instanceof DataError);
      assert.equal(error.fault, fault);
      return true;
    });
    act(each);
    await next;
    await closed(each.tap);
  }
});

test("a tap that its peer does not read from waits to write, and goes on", options, async () => {
  assert.ok(calls !== undefined);
  using pair = await connected();
  const descriptor = new SocketEnd(pair.server, calls).toDescriptor();
  assert.ok(descriptor !== undefined);
  const tap = new DescriptorTap({ descriptor, peer: { address: "127.0.0.1", port: 1 } }, calls);
  const heard: Buffer[] = [];
  tap.on("data", (chunk: Buffer) => heard.push(Buffer.from(chunk)));
  const content = Buffer.alloc(20_000_000, "a lot ");
  let isWritten = false;
  tap.write(content, () => (isWritten = true));
  pair.client.write("asked meanwhile");
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(isWritten, false);
  tap.end();
  const chunks: Buffer[] = [];
  pair.client.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(pair.client, "end");
  assert.ok(Buffer.concat(chunks).equals(content));
  assert.equal(Buffer.concat(heard).toString(), "");
  // It has ended and hears nothing more; the peer's FIN closes it.
  pair.client.end("too late");
  await closed(tap);
});
