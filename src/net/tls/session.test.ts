/** TlsSession at a bare socket: versions, ciphers, tickets, names. */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { once } from "node:events";
import { type Server, type Socket, createConnection, createServer } from "node:net";
import { type ConnectionOptions, type TLSSocket, connect } from "node:tls";
import { test } from "node:test";
import { handshake } from "./handshake.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { TlsSession, type TlsTerms } from "./session.ts";

const PAIR = makeSelfSigned({ names: ["localhost"], days: 2, now: Date.now() });
const TERMS: TlsTerms = { credentials: { choose: () => PAIR }, minimum: "TLSv1.2", clientCertificates: "off" };

/** A listener whose connections go to `onSocket`, and a client's TLS to it. */
async function meet(
  onSocket: (socket: Socket) => TLSSocket,
  options: ConnectionOptions = {},
): Promise<{ client: TLSSocket; server: TLSSocket } & Disposable> {
  const listener: Server = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(listener, "connection").then(([socket]: Socket[]) => {
    if (socket === undefined) throw new Error("no connection");
    socket.on("error", () => {});
    const secured = onSocket(socket);
    secured.on("error", () => {});
    return secured;
  });
  const raw = createConnection({ port: address.port, host: "127.0.0.1" });
  raw.on("error", () => {});
  const client = connect({ socket: raw, rejectUnauthorized: false, ...options });
  client.on("error", () => {});
  const server = await accepted;
  listener.close();
  return {
    client,
    server,
    [Symbol.dispose]() {
      client.destroy();
      raw.destroy();
      server.destroy();
    },
  };
}

const patience = (): { timeoutMs: number; signal: AbortSignal } => ({
  timeoutMs: 10_000,
  signal: new AbortController().signal,
});

test("a session refuses what is below its lowest version, and old ciphers", async () => {
  const strict = new TlsSession({ ...TERMS, minimum: "TLSv1.3" }, undefined);
  using one = await meet((socket) => strict.wrapData(socket), { maxVersion: "TLSv1.2" });
  await assert.rejects(handshake(one.server, patience()), /no TLS version that is allowed here/);
  const session = new TlsSession(TERMS, undefined);
  for (const ciphers of ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"]) {
    using weak = await meet((socket) => session.wrapData(socket), { maxVersion: "TLSv1.2", ciphers });
    await assert.rejects(handshake(weak.server, patience()), /no cipher in common/);
  }
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const secureOptions of [0, constants.SSL_OP_NO_TICKET]) {
    if (version === "TLSv1.3" && secureOptions !== 0) continue;
    test(`a session is resumed by itself alone, ${version}${secureOptions === 0 ? "" : " without tickets"}`, async () => {
      const options = { minVersion: version, maxVersion: version, secureOptions };
      const mine = new TlsSession(TERMS, undefined);
      const other = new TlsSession(TERMS, undefined);
      using first = await meet((socket) => mine.wrapControl(socket), options);
      const told = once(first.client, "session");
      await handshake(first.server, patience());
      first.server.write("x");
      first.client.resume();
      const [session]: Buffer[] = await told;
      assert.ok(session !== undefined);
      for (const [owner, expected] of [
        [other, false],
        [mine, true],
        [mine, true],
      ] as const) {
        using next = await meet((socket) => owner.wrapData(socket), { ...options, session });
        await handshake(next.server, patience());
        assert.equal(next.server.isSessionReused(), expected);
      }
    });
  }
}

test("of sessions without tickets the latest eight count", async () => {
  const options = { maxVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;
  const mine = new TlsSession(TERMS, undefined);
  const sessions: Buffer[] = [];
  for (let turn = 0; turn < 10; turn++) {
    using one = await meet((socket) => mine.wrapControl(socket), options);
    // A session that is taken before the server's Finished has come resumes nothing.
    await Promise.all([handshake(one.server, patience()), once(one.client, "secureConnect")]);
    const session = one.client.getSession();
    if (session !== undefined) sessions.push(session);
  }
  // The newest first: one that is not resumed makes a new one, which takes the place of the oldest.
  const reused: boolean[] = [];
  for (const session of [sessions.at(-1), sessions[0]]) {
    using one = await meet((socket) => mine.wrapData(socket), {
      ...options,
      ...(session === undefined ? {} : { session }),
    });
    await handshake(one.server, patience());
    reused.push(one.server.isSessionReused());
  }
  assert.deepEqual(reused, [true, false]);
});
