/** Attacks on TLS of the control connection: text put in before it (9, 10), other protocols (11), renegotiation (13). */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { startServer } from "../support/server.ts";
import { PrivateWire, VERSIONS, beginTls, planActive, rawConnection } from "../support/tls.ts";
import { Wire, readAll } from "../support/wire.ts";

const PREFIX = "AUTH TLS\r\nUSER ann\r\nPASS secret\r\nSTOR x\r\n";

test("attack 9: what comes in clear behind AUTH TLS is not run, however it is cut", async () => {
  await using server = await startServer({ tls: {} });
  let began = 0;
  // A cut after AUTH's own line leaves the rest to the TLS engine, which then closes.
  for (let cut = 1; cut <= PREFIX.length; cut++) {
    using wire = await Wire.open(server.port);
    wire.socket.write(PREFIX.slice(0, cut));
    await new Promise(setImmediate);
    if (cut < PREFIX.length) wire.socket.write(PREFIX.slice(cut));
    await wire.expect(234);
    const raw = wire.socket;
    wire.use(undefined);
    const secured = await beginTls(raw).catch(() => undefined);
    if (secured === undefined) continue;
    began += 1;
    wire.use(secured);
    // Had USER and PASS counted, these would be answered otherwise.
    await wire.expect(503, "PASS secret");
    await wire.expect(530, "PWD");
    await wire.expect(331, "USER ann");
    await wire.expect(230, "PASS secret");
    await wire.expect(257, "PWD");
  }
  assert.ok(began > 0, "some came as one segment");
  const before = server.events.filter((event) => event.type === "command" && event.verb === "STOR");
  assert.deepEqual(before, []);
  // Each login was one of those above.
  assert.equal(server.events.filter(({ type }) => type === "login.accepted").length, began);
});

test("attack 9: text inside the ClientHello's segment is TLS's, and text before it ends the connection", async () => {
  await using server = await startServer({ tls: {} });
  using wire = await Wire.open(server.port);
  await wire.expect(234, "AUTH TLS");
  wire.socket.write("USER ann\r\nPASS secret\r\n");
  await wire.closed();
  assert.equal(server.events.filter(({ type }) => type === "login.accepted").length, 0);
  const failed = server.events.find((event) => event.type === "tls.failed");
  assert.match(failed?.reason ?? "", /not TLS/);
});

test("attack 10: AUTH after the login is refused, inside TLS too, and the login stays", async () => {
  await using server = await startServer({ tls: {} });
  using wire = await Wire.login(server.port);
  await wire.expect(503, "AUTH TLS");
  await wire.expect(257, "PWD");
  using secured = await PrivateWire.login(server.port);
  await secured.wire.expect(503, "AUTH TLS");
  await secured.wire.expect(257, "PWD");
  // Between USER and PASS it is allowed, and USER must be said again.
  using half = await Wire.open(server.port);
  await half.expect(331, "USER ann");
  using upgraded = await PrivateWire.upgrade(half);
  await upgraded.wire.expect(503, "PASS secret");
});

for (const version of VERSIONS) {
  test(`attack 11: another protocol by ALPN gets an alert on control and data, ftp does not, ${version}`, async () => {
    await using server = await startServer({ tls: {} });
    await using implicit = await startServer({ tls: { implicit: true } });
    const http = { version, more: { ALPNProtocols: ["http/1.1", "h2"] } };
    await assert.rejects(PrivateWire.open(server.port, http), /no application protocol/);
    await assert.rejects(PrivateWire.implicit(implicit.port, http), /no application protocol/);
    const ftp = { version, more: { ALPNProtocols: ["ftp"] } };
    using good = await PrivateWire.login(server.port, ftp);
    assert.equal(good.tls.alpnProtocol, "ftp");
    assert.deepEqual(await good.store("STOR a", "x"), [150, 226]);
    const socket = await good.wire.passive();
    await good.wire.expect(150, "RETR a");
    await assert.rejects(good.protect(socket, { more: http.more }), /no application protocol/);
    const [why = ""] = await good.wire.expect(522);
    assert.match(why, /ALPN/);
    assert.deepEqual((await good.fetch("RETR a")).codes, [150, 226]);
  });
}

for (const line of ["GET / HTTP/1.1", "POST /x HTTP/1.1", "PUT /x HTTP/1.0", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0"]) {
  test(`attack 11: ${line} over TLS ends the connection, and nothing of it is repeated`, async () => {
    await using server = await startServer({ tls: { implicit: true } });
    using secured = await PrivateWire.implicit(server.port);
    secured.tls.write(`${line}\r\nHost: <script>\r\n\r\nSTOR x\r\n`);
    const [text = ""] = await secured.wire.expect(421);
    assert.doesNotMatch(text, /script|HTTP/);
    await secured.wire.closed();
    assert.equal(server.events.filter(({ type }) => type === "command").length, 1);
  });
}

/** The words of the client's OpenSSL for our alert. */
const REFUSED = /no renegotiation/;

test("attack 13: renegotiation is refused on the control connection", async () => {
  await using server = await startServer({ tls: {} });
  using secured = await PrivateWire.login(server.port, { version: "TLSv1.2" });
  assert.match(await renegotiate(secured.tls), REFUSED);
});

test("attack 13: renegotiation is refused on data connections, both ways", async () => {
  await using server = await startServer({ tls: { settings: { dataBinding: "require" } } });
  using secured = await PrivateWire.login(server.port, { version: "TLSv1.2" });
  const upload = await secured.wire.passive();
  await secured.wire.expect(150, "STOR a");
  assert.match(await renegotiate(await secured.protect(upload)), REFUSED);
  await secured.wire.expect(426);
  const active = await planActive(secured.wire, "EPRT");
  await writeFile(join(server.root, "large"), Buffer.alloc(30_000_000));
  await secured.wire.expect(150, "RETR large");
  const down = await secured.protect(await active.accepted);
  assert.match(await renegotiate(down), REFUSED);
  await secured.wire.reply();
});

/** What came of a second handshake on the connection. */
async function renegotiate(socket: TLSSocket): Promise<string> {
  socket.resume();
  const result = await new Promise<string>((resolve) => {
    socket.once("error", (error) => resolve(error.message));
    socket.once("close", () => resolve("closed"));
    socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? "done"));
  });
  socket.destroy();
  return result;
}

/** Ways of resuming in TLS 1.2: by ticket, and by id where the client takes no tickets. */
const WAYS = [
  { name: "TLS 1.2 tickets", ways: { version: "TLSv1.2" } },
  { name: "TLS 1.2 session ids", ways: { version: "TLSv1.2", more: { secureOptions: constants.SSL_OP_NO_TICKET } } },
  { name: "TLS 1.3", ways: { version: "TLSv1.3" } },
] as const;

for (const { name, ways } of WAYS) {
  test(`attack 6: a data connection with a fresh or a foreign TLS session gets 522, with the own one it is let in, ${name}`, async () => {
    await using server = await startServer({ tls: { settings: { dataBinding: "require" } } });
    using mine = await PrivateWire.login(server.port, ways);
    using other = await PrivateWire.login(server.port, ways);
    assert.deepEqual(await mine.store("STOR secret", "kept"), [150, 226]);
    const foreign = await other.session();
    for (const session of [null, foreign]) {
      const { data, codes } = await mine.fetch("RETR secret", session);
      assert.deepEqual(codes, [150, 522]);
      assert.equal(data.length, 0);
      assert.deepEqual((await mine.store("STOR secret", "forged", session)).at(-1), 522);
    }
    for (let turn = 0; turn < 5; turn++) {
      assert.deepEqual((await mine.fetch("RETR secret")).data.toString(), "kept");
    }
    // The session of a control connection that is over resumes nothing either.
    await other.wire.expect(221, "QUIT");
    assert.deepEqual((await mine.fetch("LIST", foreign)).codes, [150, 522]);
  });

  test(`attack 6: in active mode too, ${name}`, async () => {
    await using server = await startServer({ tls: { settings: { dataBinding: "require" } } });
    using mine = await PrivateWire.login(server.port, ways);
    for (const [session, code] of [
      [undefined, 226],
      [null, 522],
    ] as const) {
      const active = await planActive(mine.wire, "PORT");
      await mine.wire.expect(150, "NLST");
      const secured = await mine.protect(await active.accepted, session === undefined ? {} : { session });
      assert.equal((await readAll(secured)).length, 0);
      await mine.wire.expect(code);
    }
  });

  test(`dataBinding prefer lets a fresh session in and says so once, off says nothing, ${name}`, async () => {
    for (const [dataBinding, told] of [
      ["prefer", 1],
      ["off", 0],
    ] as const) {
      await using server = await startServer({ tls: { settings: { dataBinding } } });
      using mine = await PrivateWire.login(server.port, ways);
      for (let turn = 0; turn < 2; turn++) assert.deepEqual((await mine.fetch("LIST", null)).codes, [150, 226]);
      assert.equal(server.events.filter(({ type }) => type === "data.unbound").length, told);
    }
  });
}

test("attack 6: text in clear on a private data connection gets 522 and stores nothing", async () => {
  await using server = await startServer({ tls: {} });
  using mine = await PrivateWire.login(server.port);
  const socket = await mine.wire.passive();
  await mine.wire.expect(150, "STOR a");
  socket.end("plain octets");
  const [why = ""] = await mine.wire.expect(522);
  assert.match(why, /not TLS/);
  await mine.wire.expect(550, "SIZE a");
  const raw = await rawConnection(server.port);
  raw.destroy();
  await once(raw, "close");
});
