/**
 * A transfer of nothing over TLS: its end is told by close_notify also when it comes in the very turn of the event loop in
 * which the handshake's last octets go out. Node's engine then has them in hand, and would end TCP without close_notify.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { type TLSSocket, connect } from "node:tls";
import { DataConnection } from "../data-connection.ts";
import { CutStream } from "./cut.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { TlsSession } from "./session.ts";
import { TlsTap } from "./tap.ts";
import { connected } from "./test-sockets.ts";

const CERTIFICATE = makeSelfSigned({ names: ["localhost"], days: 2, now: Date.now() });
const SESSION = new TlsSession(
  { credentials: { choose: () => CERTIFICATE }, minimum: "TLSv1.2", clientCertificates: "off" },
  undefined,
);
/** The first connection has no session to resume, the others have: then it is the client that ends the handshake of TLS 1.2. */
const TURNS = 3;
/** Milliseconds until no poke will come any more. */
const POKE_MS = 50;

/** Below the receiver's engine: whatever it sends, a poke follows on another connection, which arrives in the same turn. */
class Poking extends CutStream {
  readonly #below: TlsTap;
  readonly #poke: () => void;

  constructor(below: TlsTap, poke: () => void) {
    super();
    this.#below = below;
    this.#poke = poke;
    below.on("data", (chunk: Buffer) => this.push(chunk));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#below.write(chunk, done);
    this.#poke();
  }
}

/** The tap keeps the end of TCP from the engine: what the engine calls an end is close_notify. */
async function endOf(reader: TLSSocket, tap: TlsTap): Promise<"close_notify" | "cut"> {
  const cut = new Promise<"cut">((resolve) => {
    tap.onCut(() => void tap.quiet(() => reader.readableEnded).then((isCut) => isCut && resolve("cut")));
  });
  const ended = once(reader, "end").then((): "close_notify" => "close_notify");
  reader.resume();
  return await Promise.race([ended, cut]);
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const sender of ["client", "server"] as const) {
    test(`${version}: nothing, sent by the ${sender}, ends with close_notify`, { timeout: 10_000 }, async () => {
      let session: Buffer | undefined;
      for (let turn = 0; turn < TURNS; turn++) {
        using pair = await connected();
        using pokes = await connected();
        const [own, other]: Socket[] = sender === "client" ? [pair.client, pair.server] : [pair.server, pair.client];
        assert.ok(own !== undefined && other !== undefined);
        const tap = new TlsTap(other);
        const poking = new Poking(tap, () => pokes.server.write("!"));
        const client = connect({
          socket: sender === "client" ? own : poking,
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ...(session === undefined ? {} : { session }),
        });
        client.on("session", (latest: Buffer) => (session = latest));
        const server = SESSION.wrapData(sender === "client" ? poking : own);
        const [from, to] = sender === "client" ? [client, server] : [server, client];
        for (const each of [client, server]) each.on("error", () => {});
        const secure = once(from, "secure");
        let isSecure = false;
        from.once("secure", () => (isSecure = true));
        const { signal } = new AbortController();
        await using connection = new DataConnection({ socket: from, raw: own }, { stallMs: 5000, signal });
        const seen = endOf(to, tap);
        let finished: Promise<void> | undefined;
        pokes.client.on("data", () => {
          if (isSecure) finished ??= connection.finish();
        });
        await secure;
        // TLS 1.2 that resumes nothing ends with octets of the server: nothing pokes a client then.
        await once(pokes.client, "data", { signal: AbortSignal.timeout(POKE_MS) }).catch(() => {});
        finished ??= connection.finish();
        await finished;
        assert.equal(await seen, "close_notify", `connection ${turn + 1}`);
        client.destroy();
        server.destroy();
      }
    });
  }
}
