/** Too many and too slow: clients that fill the table, that drip, and that plant files for us to read. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { suite, test } from "node:test";
import type { GivenSettings } from "../../src/guard/settings.ts";
import { connectFrom, until } from "../support/attack.ts";
import { type TestServer, startServer } from "../support/server.ts";
import { PrivateWire } from "../support/tls.ts";
import { Wire } from "../support/wire.ts";

/** Milliseconds between two octets of who drips: well below every time-out of these tests. */
const DRIP_MS = 100;
/** Milliseconds within which a time-out of 1 s must have come, on a busy machine too. */
const LATEST_MS = 8_000;
/** The header of a TLS record with a ClientHello of 508 octets (RFC 8446 §5.1). */
const HELLO = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);

/** Sends one octet now and then, until the connection is closed. @returns after how many milliseconds that was. */
async function drip(socket: Socket, first: Buffer = Buffer.alloc(0)): Promise<number> {
  const started = performance.now();
  socket.on("error", () => {});
  socket.resume();
  const closed = Promise.race([once(socket, "end"), once(socket, "close")]);
  if (first.length > 0) socket.write(first);
  const timer = setInterval(() => socket.write("a"), DRIP_MS);
  const late = setTimeout(() => socket.destroy(new Error("too late")), LATEST_MS);
  await closed.catch(() => {});
  clearInterval(timer);
  clearTimeout(late);
  socket.destroy();
  return performance.now() - started;
}

function assertInTime(milliseconds: number): void {
  assert.ok(milliseconds > 800 && milliseconds < LATEST_MS - 500, `closed after ${milliseconds} ms`);
}

async function nobodyIsLeft({ server }: TestServer): Promise<void> {
  await until("nobody is left", () => server.who.list().length === 0);
}

suite("attack 54: an octet now and then keeps nothing open", () => {
  test("before the login", async () => {
    await using server = await startServer({ settings: { loginTimeout: 1 } });
    const wire = await Wire.open(server.port);
    assertInTime(await drip(wire.socket));
    await nobodyIsLeft(server);
  });

  test("after the login: octets that end no line do not count as activity", async () => {
    await using server = await startServer({ settings: { idleTimeout: 1 } });
    const wire = await Wire.login(server.port);
    assertInTime(await drip(wire.socket));
    await nobodyIsLeft(server);
  });

  test("in the TLS handshake of AUTH, which ends before the time for the login does", async () => {
    await using server = await startServer({ tls: { settings: { handshakeTimeout: 1 } } });
    const wire = await Wire.open(server.port);
    await wire.expect(234, "AUTH TLS");
    wire.use(undefined);
    assertInTime(await drip(wire.socket, HELLO));
    await nobodyIsLeft(server);
    const failed = server.events.find(({ type }) => type === "tls.failed");
    assert.ok(failed?.type === "tls.failed" && /within 1 s/.test(failed.reason));
  });

  test("in the TLS handshake of an implicit connection", async () => {
    await using server = await startServer({ tls: { implicit: true, settings: { handshakeTimeout: 1 } } });
    assertInTime(await drip(await connectFrom("127.0.0.1", server), HELLO));
    await nobodyIsLeft(server);
  });

  test("in the TLS handshake of a data connection: the session goes on", async () => {
    await using server = await startServer({ tls: { settings: { handshakeTimeout: 1 } } });
    using secured = await PrivateWire.login(server.port);
    const data = await secured.wire.passive();
    await secured.wire.expect(150, "STOR slow.txt");
    const closed = drip(data, HELLO);
    const { code } = await secured.wire.reply();
    assert.ok(code === 425 || code === 426 || code === 522, String(code));
    assertInTime(await closed);
    await secured.wire.expect(200, "NOOP");
    assert.deepEqual(readdirSync(server.root), []);
  });

  test("a data connection that never comes is waited for no longer than it may take", async () => {
    await using server = await startServer({ settings: { dataOpenTimeout: 1 } });
    using wire = await Wire.login(server.port);
    await wire.passivePort();
    const started = performance.now();
    // Some clients connect only when they see the 150: it goes out when half of the time is over.
    await wire.expect(150, "NLST");
    await wire.expect(425);
    assertInTime(performance.now() - started);
  });
});

async function greeting(server: TestServer, address = "127.0.0.1"): Promise<Wire> {
  return Wire.over(await connectFrom(address, server));
}

test("attack 55: connections of one address are counted before the login, and leave others alone", async () => {
  await using server = await startServer({ guard: { limits: { sessionsPerAddress: 3 } } });
  const wires = [await greeting(server), await greeting(server), await greeting(server)];
  for (const wire of wires) await wire.expect(220);
  using fourth = await greeting(server);
  const [text = ""] = await fourth.expect(421);
  assert.match(text, /Too many connections from your address \(limit 3\)/);
  await fourth.closed();
  using other = await greeting(server, "127.0.0.2");
  await other.expect(220);
  wires[0]?.socket.destroy();
  await until("its place is free", () => server.server.who.list().length === 3);
  using again = await greeting(server);
  await again.expect(220);
  for (const wire of wires) wire.socket.destroy();
});

test("attack 55: over TLS from the first octet on too many get no handshake at all", async () => {
  const limits = { sessionsPerAddress: 1 };
  await using server = await startServer({ guard: { limits }, tls: { implicit: true } });
  using first = await PrivateWire.implicit(server.port);
  const second = await connectFrom("127.0.0.1", server);
  await once(second.resume(), "end");
  second.destroy();
  assert.equal(second.bytesRead, 0);
  await first.wire.expect(331, "USER ann");
});

type Limit = {
  readonly name: string;
  readonly guard: GivenSettings;
  readonly code: number;
  readonly words: RegExp;
  /** What has gone before, and then what is refused. */
  readonly reach: (server: TestServer, held: Wire[]) => Promise<Wire>;
};

const another = async (server: TestServer, held: Wire[]): Promise<Wire> => {
  held.push(await Wire.open(server.port));
  return greeting(server);
};

const transferBeside = async (server: TestServer, held: Wire[]): Promise<Wire> => {
  const first = await Wire.login(server.port);
  held.push(first);
  const data = await first.passive();
  await first.expect(150, "STOR held.txt");
  first.socket.once("close", () => data.destroy());
  const second = await Wire.login(server.port);
  await second.passivePort();
  second.send("NLST");
  return second;
};

const LIMITS: readonly Limit[] = [
  {
    name: "of the server",
    guard: { limits: { sessions: 1 } },
    code: 421,
    words: /server is full \(limit 1/,
    reach: another,
  },
  {
    name: "of new connections",
    guard: { limits: { connectionRate: 1 } },
    code: 421,
    words: /Too many new connections from your address \(limit 1 a minute\)/,
    reach: another,
  },
  {
    name: "of the list of addresses",
    guard: { bans: { deny: ["127.0.0.0/8"] } },
    code: 421,
    words: /does not serve your address/,
    reach: async (server) => greeting(server),
  },
  {
    name: "of an account's sessions",
    guard: { limits: { sessionsPerAccount: 1 } },
    code: 530,
    words: /Too many sessions of this account \(limit 1\)/,
    reach: async (server, held) => {
      held.push(await Wire.login(server.port));
      const wire = await Wire.open(server.port);
      await wire.expect(331, "USER ann");
      wire.send("PASS secret");
      return wire;
    },
  },
  {
    name: "of an account's transfers",
    guard: { limits: { transfersPerAccount: 1 } },
    code: 450,
    words: /Too many transfers of this account \(limit 1\)/,
    reach: transferBeside,
  },
  {
    name: "of an address's transfers",
    guard: { limits: { transfersPerAddress: 1 } },
    code: 450,
    words: /Too many transfers from your address \(limit 1\)/,
    reach: transferBeside,
  },
];

for (const { name, guard, code, words, reach } of LIMITS) {
  test(`attack 55: the limit ${name} says which one it is`, async () => {
    await using server = await startServer({ guard });
    const held: Wire[] = [];
    using wire = await reach(server, held);
    const [text = ""] = await wire.expect(code);
    assert.match(text, words);
    for (const each of held) each.socket.destroy();
  });
}

test("attack 61: files that other servers obey are plain files here, and our own are out of reach", async () => {
  await using server = await startServer({ guard: { limits: { sessionsPerAddress: 8 } } });
  using wire = await Wire.login(server.port);
  const planted = [
    ".ftpaccess",
    ".ftpquota",
    ".htaccess",
    ".message",
    ".banner",
    "welcome.msg",
    "hosts.allow",
    "bans.jsonl",
  ];
  const content = "<Limit ALL>\nDenyAll\n</Limit>\n250 Planted\n0 0\nALL: ALL\n";
  for (const name of planted) assert.deepEqual(await wire.store(`STOR ${name}`, content), [150, 226]);
  for (const name of [".ferryman-journal", ".ferryman-tmp.1.ab", ".FERRYMAN-part.0"]) {
    const codes = await wire.store(`STOR ${name}`, "mine");
    assert.ok((codes.at(-1) ?? 0) >= 550, `${name}: ${codes.join()}`);
    for (const line of [`RNFR ${name}`, `DELE ${name}`, `SIZE ${name}`, `MKD ${name}`]) {
      const { code } = await wire.ask(line);
      assert.ok(code >= 550, `${line}: ${code}`);
    }
  }
  assert.deepEqual(
    readdirSync(server.root)
      .filter((name) => !name.startsWith(".ferryman-"))
      .toSorted(),
    planted.toSorted(),
  );
  // Whoever comes next meets nothing of it.
  using next = await Wire.connect(server.port);
  assert.deepEqual(await next.expect(220), ["Ferryman ready."]);
  await next.expect(331, "USER ann");
  assert.deepEqual(await next.expect(230, "PASS secret"), ["Signed in."]);
  assert.equal((await next.expect(250, "CWD /")).length, 1);
  assert.deepEqual((await next.fetch("RETR .ftpaccess")).codes, [150, 226]);
  assert.deepEqual(await next.store("STOR after.txt", "x"), [150, 226]);
});
