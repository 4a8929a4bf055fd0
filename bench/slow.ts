/**
 * Logins beside slow clients: thousands that send an octet now and then, half of them in the middle of a TLS handshake.
 * They run in a process of their own, so that what they cost on this side is not taken for the server's time.
 * Usage: node bench/slow.ts [slow clients] [logins]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { Wire } from "../test/support/wire.ts";
import { affordable, printTable, repeat, serve } from "./served.ts";

const [SLOW, LOGINS] = [5_000, 200];
/** Milliseconds in which each slow client sends one octet. */
const PACE_MS = 5_000;
/** Milliseconds between two turns in which those whose time has come send theirs. */
const TURN_MS = 50;
/** Milliseconds that a login may take at the 99th percentile. */
const TARGET_MS = 100;
/** The header of a TLS record with a ClientHello of 512 octets that never comes to its end (RFC 8446 §5.1). */
const HELLO = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);
/** Octets that a slow client has for the whole measure: less than the hello announces, and than a line may have. */
const OCTETS = 400;

async function slowClient(port: number, at: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", localAddress: "127.0.0.2", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "data");
  if (at % 2 === 1) {
    socket.write("AUTH TLS\r\n");
    await once(socket, "data");
    socket.write(HELLO);
  }
  socket.resume();
  return socket;
}

/** The other process: opens its clients, says so, and lets them drip until it is ended. */
async function drip(port: number, count: number): Promise<void> {
  const sockets: Socket[] = [];
  const one = async (at: number): Promise<void> => {
    sockets.push(await slowClient(port, at));
  };
  await repeat(count, { atOnce: 64, one });
  let next = 0;
  let sent = 0;
  setInterval(() => {
    for (let due = Math.ceil((count * TURN_MS) / PACE_MS); due > 0 && sent < OCTETS * count; due -= 1) {
      sockets[next % count]?.write("U");
      next += 1;
      sent += 1;
    }
  }, TURN_MS);
  process.on("message", () => process.send?.(sockets.filter(({ destroyed }) => !destroyed).length));
  process.on("disconnect", () => process.exit(0));
  process.send?.("ready");
}

async function loginTimes(port: number, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const started = performance.now();
    using wire = await Wire.login(port, { user: "anonymous", password: "x@y" });
    times.push(performance.now() - started);
    await wire.expect(221, "QUIT");
  }
  return times.toSorted((one, other) => one - other);
}

function percentiles(times: readonly number[]): readonly string[] {
  return [0.5, 0.99, 1].map((part) => (times[Math.ceil(times.length * part) - 1] ?? NaN).toFixed(1));
}

async function measure(
  workers: number | undefined,
  { slow, logins }: { slow: number; logins: number },
): Promise<readonly (readonly string[])[]> {
  await using server = await serve(workers);
  const name = workers === 0 ? "one process" : "workers";
  await loginTimes(server.port, logins);
  const quiet = await loginTimes(server.port, logins);
  const others = fork(import.meta.filename, ["drip", String(server.port), String(slow)]);
  const gone = once(others, "exit");
  try {
    await once(others, "message");
    const beside = await loginTimes(server.port, logins);
    others.send("count");
    const [left]: unknown[] = await once(others, "message");
    return [
      [`${name}, alone`, "0", ...percentiles(quiet), ""],
      [`${name}, beside slow clients`, String(left), ...percentiles(beside), String(TARGET_MS)],
    ];
  } finally {
    others.kill("SIGKILL");
    await gone;
  }
}

const [first = "", second = "", third = ""] = process.argv.slice(2);
if (first === "drip") await drip(Number(second), Number(third));
else {
  const slow = affordable(Number(first === "" ? SLOW : first));
  const logins = Number(second === "" ? LOGINS : second);
  const rows: (readonly string[])[] = [["logins", "slow clients", "p50 ms", "p99 ms", "most", "p99 target"]];
  for (const workers of [0, undefined]) rows.push(...(await measure(workers, { slow, logins })));
  console.log(`${logins} logins of guests, one after another; connect to 230`);
  printTable(rows);
  process.exit(0);
}
