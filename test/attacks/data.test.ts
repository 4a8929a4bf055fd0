/** Attacks on data connections, at the wire: bounce (1 to 3), theft (5), guessed ports (7), drained ports (8). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { parse227 } from "../../src/protocol/host-port.ts";
import { connectFrom, freeRange, until } from "../support/attack.ts";
import { startServer } from "../support/server.ts";
import { Wire, listenLocally, readAll } from "../support/wire.ts";

function portArgument(address: string, port: number): string {
  return `${address.replaceAll(".", ",")},${port >> 8},${port & 255}`;
}

/** Refused, without a plan left behind: what would use it is told that there is none. */
async function demandRefused(wire: Wire, line: string): Promise<void> {
  const { code } = await wire.ask(line);
  assert.ok(code >= 500 && code < 600, `${line}: ${code}`);
  const { code: next, lines } = await wire.ask("LIST");
  assert.equal(next, 425, line);
  assert.match(lines.join(), /No data connection is planned/, line);
}

test("attack 1: PORT and EPRT to another host are refused and no SYN arrives there", async () => {
  await using server = await startServer();
  const other = await listenLocally("127.0.0.2");
  const own = await listenLocally("127.0.0.1");
  let strangers = 0;
  other.server.on("connection", (socket) => {
    strangers += 1;
    socket.destroy();
  });
  using wire = await Wire.login(server.port);
  await wire.expect(229, "EPSV");
  await demandRefused(wire, `PORT ${portArgument("127.0.0.2", other.port)}`);
  await demandRefused(wire, `EPRT |1|127.0.0.2|${other.port}|`);
  // A plan of the client's own is not turned into the refused one either.
  await wire.expect(200, `PORT ${portArgument("127.0.0.1", own.port)}`);
  await demandRefused(wire, `PORT ${portArgument("127.0.0.2", other.port)}`);
  // What is allowed does arrive, so a SYN would have been seen.
  await wire.expect(200, `EPRT |1|127.0.0.1|${own.port}|`);
  const [[data]] = await Promise.all([once(own.server, "connection"), wire.expect(150, "LIST")]);
  await readAll(data);
  await wire.expect(226);
  const probe = createConnection({ host: "127.0.0.2", port: other.port });
  await once(probe, "close");
  assert.equal(strangers, 1, "the probe alone");
  assert.equal(server.events.filter((event) => event.type === "refused").length, 3);
  other.server.close();
  own.server.close();
});

test("attack 2: ports below 1024 are refused, 1024 and above are not", async () => {
  await using server = await startServer();
  using wire = await Wire.login(server.port);
  for (const port of [1, 21, 22, 25, 80, 443, 1022, 1023]) {
    await demandRefused(wire, `PORT ${portArgument("127.0.0.1", port)}`);
    await demandRefused(wire, `EPRT |1|127.0.0.1|${port}|`);
  }
  for (const port of [1024, 65_535]) {
    await wire.expect(200, `PORT ${portArgument("127.0.0.1", port)}`);
    await wire.expect(200, `EPRT |1|127.0.0.1|${port}|`);
  }
});

const ODD_ADDRESSES = [
  "|2|::ffff:127.0.0.1|2121|",
  "|2|::FFFF:7f00:1|2121|",
  "|2|::ffff:10.0.0.1|2121|",
  "|2|::127.0.0.1|2121|",
  "|2|64:ff9b::7f00:1|2121|",
  "|2|::1|2121|",
  "|2|::1%lo|2121|",
  "|2|::1%1|2121|",
  "|2|::|2121|",
  "|2|fe80::1%lo|2121|",
  "|2|[::1]|2121|",
  "|2|127.0.0.1|2121|",
  "|1|::1|2121|",
  "|1|::ffff:127.0.0.1|2121|",
  "|1|0.0.0.0|2121|",
  "|1|0|2121|",
  "|1|127.1|2121|",
  "|1|127.0.1|2121|",
  "|1|0177.0.0.1|2121|",
  "|1|127.0.0.01|2121|",
  "|1|0x7f.0.0.1|2121|",
  "|1|0x7f000001|2121|",
  "|1|2130706433|2121|",
  "|1|127.0.0.1%lo|2121|",
  "|1| 127.0.0.1|2121|",
  "|1|127.0.0.1 |2121|",
  "|1|127.0.0.1.|2121|",
  "|1|127.0.0.257|2121|",
  "|1|127.0.0.255|2121|",
  "|1|127.255.255.255|2121|",
  "|1|255.255.255.255|2121|",
  "|1|224.0.0.1|2121|",
  "|1|169.254.169.254|2121|",
  "|1|localhost|2121|",
  "|1||2121|",
];
const ODD_PORTS = [
  "0",
  "65536",
  "99999",
  "-1",
  "+2121",
  "02121",
  " 2121",
  "2121 ",
  "2121.0",
  "0x849",
  "2e3",
  "",
  "٢١٢١",
];
const ODD_FORMS = [
  "",
  "|",
  "||||",
  "|||2121|",
  "|1|127.0.0.1|2121",
  "1|127.0.0.1|2121|",
  "|1|127.0.0.1|2121|x",
  "|1|127.0.0.1|2121||",
  "|1|127.0.0.1|2121|1|127.0.0.2|2121|",
  "||1|127.0.0.1|2121|",
  "|1!127.0.0.1!2121!",
  " 1 127.0.0.1 2121 ",
  "\t1\t127.0.0.1\t2121\t",
  "\xa61\xa6127.0.0.1\xa62121\xa6",
  ".1.127.0.0.1.2121.",
  "1112711",
  "|0|127.0.0.1|2121|",
  "|01|127.0.0.1|2121|",
  "|3|127.0.0.1|2121|",
  "|99999|127.0.0.1|2121|",
  "|-1|127.0.0.1|2121|",
  "|a|127.0.0.1|2121|",
];
const ODD_PORT_ARGUMENTS = [
  "",
  "0,0,0,0,8,73",
  "127,0,0,1,8",
  "127,0,0,1,8,73,0",
  "127,0,0,1,8,73,",
  ",127,0,0,1,8,73",
  "127,0,0,1,0,0",
  "127,0,0,1,256,73",
  "127,0,0,1,8,256",
  "127,0,0,257,8,73",
  "127,0,0,01,8,73",
  "0177,0,0,1,8,73",
  "0x7f,0,0,1,8,73",
  "127,0,0,1,-8,73",
  "127,0,0,1,+8,73",
  "127,0,0,1, 8,73",
  "127.0.0.1.8.73",
  "127,0,0,1,8,73 ",
  "127,0,0,1,8,7e0",
  "127,0,0,255,8,73",
  "255,255,255,255,8,73",
];

test("attack 3: no odd form of an address, a port or a delimiter passes, and the session lives on", async () => {
  await using server = await startServer();
  using wire = await Wire.login(server.port);
  const lines = [
    ...[...ODD_ADDRESSES, ...ODD_PORTS.map((port) => `|1|127.0.0.1|${port}|`), ...ODD_FORMS].map(
      (form) => `EPRT ${form}`,
    ),
    ...ODD_PORT_ARGUMENTS.map((form) => `PORT ${form}`),
  ];
  for (const line of lines) await demandRefused(wire, line);
  // The form that is none of these.
  await wire.expect(200, "EPRT |1|127.0.0.1|2121|");
  await wire.expect(200, "EPRT !1!127.0.0.1!2121!");
  await wire.expect(200, "PORT 127,0,0,1,8,73");
});

test("attack 3: the server's own other addresses are not the client's", async () => {
  await using server = await startServer({ host: "0.0.0.0" });
  // We reach it on 127.0.0.3, from 127.0.0.1.
  using wire = await Wire.login(server.port, { host: "127.0.0.3" });
  await demandRefused(wire, `EPRT |1|127.0.0.3|${server.port}|`);
  await demandRefused(wire, `PORT 127,0,0,3,${server.port >> 8},${server.port & 255}`);
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    if (family === "IPv4" && address !== "127.0.0.1") await demandRefused(wire, `EPRT |1|${address}|${server.port}|`);
    if (family === "IPv6") await demandRefused(wire, `EPRT |2|${address}|${server.port}|`);
  }
  await wire.expect(200, `EPRT |1|127.0.0.1|${server.port}|`);
});

const noIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"))
  ? false
  : "there is no IPv6 loopback";

test("attack 3: over IPv6 neither IPv4's loopback nor its mapped form is the client", { skip: noIpv6 }, async () => {
  await using server = await startServer({ host: "::" });
  using six = await Wire.login(server.port, { host: "::1" });
  for (const form of [
    "|1|127.0.0.1|2121|",
    "|2|::ffff:127.0.0.1|2121|",
    "|2|::|2121|",
    "|2|::2|2121|",
    "|2|::1%lo|2121|",
  ]) {
    await demandRefused(six, `EPRT ${form}`);
  }
  await demandRefused(six, "PORT 127,0,0,1,8,73");
  await six.expect(200, "EPRT |2|::1|2121|");
  await six.expect(200, "EPRT |2|0:0:0:0:0:0:0:1|2121|");
  // An IPv4 client of a listener of both families.
  using four = await Wire.login(server.port, { host: "127.0.0.1" });
  await demandRefused(four, "EPRT |2|::ffff:127.0.0.1|2121|");
  await demandRefused(four, "EPRT |2|::1|2121|");
  await four.expect(200, "EPRT |1|127.0.0.1|2121|");
});

for (const when of ["before the command", "while the server waits for the client"] as const) {
  test(`attack 5: a thief of the data port who comes ${when} is dropped, and the client is served`, async () => {
    await using server = await startServer();
    using wire = await Wire.login(server.port);
    const { address, port } = await wire.passivePort("PASV");
    if (when !== "before the command") wire.send("LIST");
    const thief = await connectFrom("127.0.0.2", { port });
    const source = thief.localPort ?? 0;
    let stolen = 0;
    thief.on("data", (chunk: Buffer) => {
      stolen += chunk.length;
    });
    await once(thief, "end", { signal: AbortSignal.timeout(5_000) });
    const own = await connectFrom("127.0.0.1", { host: address, port });
    if (when === "before the command") wire.send("LIST");
    await wire.expect(150);
    thief.destroy();
    await readAll(own);
    await wire.expect(226);
    assert.equal(stolen, 0);
    const refused = server.events.filter((event) => event.type === "data.refused");
    assert.deepEqual(
      refused.map(({ from, port: theirs }) => [from, theirs]),
      [["127.0.0.2", source]],
    );
  });
}

test("attack 5: an upload cannot be put in by a thief either", async () => {
  await using server = await startServer({ settings: { dataOpenTimeout: 1 } });
  using wire = await Wire.login(server.port);
  const { port } = await wire.passivePort("PASV");
  wire.send("STOR planted.txt");
  const thief = await connectFrom("127.0.0.2", { port });
  thief.end("planted");
  const codes: number[] = [];
  do codes.push((await wire.reply()).code);
  while ((codes.at(-1) ?? 0) < 200);
  assert.equal(codes.at(-1), 425);
  await wire.expect(550, "MLST planted.txt");
  thief.destroy();
});

const REPLIES = 10_000;
const SESSIONS = 4;
const PORTS = 64;
/** Of 63 degrees of freedom, the value that a fair choice passes once in a million tries. */
const CHI_SQUARE_LIMIT = 132;

function chiSquare(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
}

function countOf(values: readonly number[], size: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

async function passivePorts(wire: Wire, count: number): Promise<number[]> {
  wire.socket.write("PASV\r\n".repeat(count));
  const ports: number[] = [];
  for (let turn = 0; turn < count; turn++) {
    const [text = ""] = await wire.expect(227);
    ports.push(parse227(text)?.port ?? 0);
  }
  return ports;
}

test("attack 7: passive ports are even over the range, and none tells the next", async () => {
  const range = await freeRange(PORTS);
  await using server = await startServer({ settings: { passivePorts: range } });
  const perSession: number[][] = [];
  for (let session = 0; session < SESSIONS; session++) {
    using wire = await Wire.login(server.port);
    const ports = await passivePorts(wire, REPLIES / SESSIONS);
    perSession.push(ports.map((port) => port - range.first));
  }
  const all = perSession.flat();
  assert.ok(all.every((port) => port >= 0 && port < PORTS));
  const even = chiSquare(countOf(all, PORTS));
  assert.ok(even < CHI_SQUARE_LIMIT, `ports: ${even}`);
  // The step from one port to the next, around the range: a counter, or anything added up, has few of them.
  const steps = perSession.flatMap((ports) =>
    ports.slice(1).map((port, at) => (port - (ports[at] ?? 0) + PORTS) % PORTS),
  );
  const stepping = chiSquare(countOf(steps, PORTS));
  assert.ok(stepping < CHI_SQUARE_LIMIT, `steps: ${stepping}`);
  // What a session gets first is not the same port each time (proftpd#1396).
  const firsts: number[] = [];
  for (let session = 0; session < 32; session++) {
    using wire = await Wire.login(server.port);
    firsts.push(...(await passivePorts(wire, 1)));
  }
  assert.ok(new Set(firsts).size > 8, `${new Set(firsts).size} first ports of 32`);
});

test("attack 8: 10,000 PASV of one session hold one port, and do not drain the range", async () => {
  const range = await freeRange(4);
  await using server = await startServer({ settings: { passivePorts: range } });
  using flood = await Wire.login(server.port);
  await passivePorts(flood, REPLIES);
  const others = await Promise.all(Array.from({ length: 4 }, async () => Wire.login(server.port)));
  const ports = new Set<number>();
  for (const wire of others.slice(0, 3)) for (const port of await passivePorts(wire, 1)) ports.add(port);
  assert.equal(ports.size, 3);
  const [last] = others.slice(3);
  assert.ok(last !== undefined);
  await last.expect(425, "PASV");
  // The one port that the flood holds is free once it is gone.
  await flood.expect(221, "QUIT");
  await until("its session is over", () => server.server.who.list().length === 4);
  await last.expect(227, "PASV");
  for (const wire of others) wire.socket.destroy();
});

test("attack 4: a forged PROXY header is a command that nobody knows, and the peer stays who it is", async () => {
  await using server = await startServer();
  using wire = await Wire.connect(server.port);
  wire.send("PROXY TCP4 192.0.2.9 127.0.0.1 40000 21");
  await wire.expect(220);
  await wire.expect(500);
  await wire.expect(331, "USER ann");
  await wire.expect(230, "PASS secret");
  await wire.expect(500, "PORT 192,0,2,9,200,1");
  const peers = new Set(server.events.flatMap((event) => ("peer" in event ? [event.peer.address] : [])));
  assert.deepEqual([...peers], ["127.0.0.1"]);
});
