/**
 * Memory of sessions that are signed in and do nothing, in clear and over TLS, in one process and with workers. Octets
 * that the kernel keeps for sockets are not counted. Takes a minute or two.
 * Usage: node bench/idle.ts [sessions]
 */
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { connect as connectTls, createSecureContext } from "node:tls";
import { affordable, printTable, repeat, serve } from "./served.ts";

const SESSIONS = 10_000;
/** Before the first reading, so that compiled code and pools are not taken for sessions. */
const WARM_UP = 300;
/** Logins at the same time. */
const AT_ONCE = 32;
/** KiB a session, as perf.md has them. */
const TARGETS = { clear: 10, TLS: 60 } as const;
type Kind = keyof typeof TARGETS;

const count = affordable(Number(process.argv[2] ?? SESSIONS));
// One for all clients: this process is to stay small, too.
const secureContext = createSecureContext();

/** Sends a line, and waits for an answer with this code. */
async function ask(socket: Socket, code: string, line = ""): Promise<void> {
  if (line !== "") socket.write(`${line}\r\n`);
  let heard = "";
  while (!heard.startsWith(code)) {
    const [chunk]: unknown[] = await once(socket, "data");
    heard += String(chunk);
    if (/^[45]/.test(heard)) throw new Error(`${line}: ${heard}`);
  }
}

async function secured(socket: Socket): Promise<Socket> {
  await ask(socket, "234", "AUTH TLS");
  // The server's own certificate is made for the occasion.
  const tls = connectTls({ socket, secureContext, rejectUnauthorized: false });
  await once(tls, "secureConnect");
  return tls;
}

async function signIn(port: number, kind: Kind): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  await ask(socket, "220");
  const control = kind === "TLS" ? await secured(socket) : socket;
  await ask(control, "331", "USER anonymous");
  await ask(control, "230", "PASS x@y");
  return control;
}

async function measure(workers: number | undefined, kind: Kind): Promise<readonly string[]> {
  await using server = await serve(workers);
  const sockets: Socket[] = [];
  const open = async (): Promise<void> => {
    sockets.push(await signIn(server.port, kind));
  };
  const closeAll = async (): Promise<void> => {
    const closed = sockets.splice(0).map(async (socket) => {
      socket.destroy();
      await once(socket, "close");
    });
    await Promise.all(closed);
  };
  await repeat(WARM_UP, { atOnce: AT_ONCE, one: open });
  await closeAll();
  const before = await server.memory();
  const started = performance.now();
  await repeat(count, { atOnce: AT_ONCE, one: open });
  const seconds = (performance.now() - started) / 1000;
  const after = await server.memory();
  await closeAll();
  const each = (after - before) / count;
  const figures = [before / 1024, after / 1024].map((mebibytes) => mebibytes.toFixed(0));
  const name = `${kind}, ${workers === 0 ? "one process" : "workers"}`;
  return [name, ...figures, each.toFixed(1), String(TARGETS[kind]), (count / seconds).toFixed(0)];
}

const rows: (readonly string[])[] = [["sessions", "MiB before", "MiB after", "KiB each", "target", "logins/s"]];
for (const workers of [0, undefined]) {
  for (const kind of ["clear", "TLS"] as const) rows.push(await measure(workers, kind));
}
console.log(`${count} idle sessions; memory of the server's processes`);
printTable(rows);
process.exit(0);
