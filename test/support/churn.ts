/** Clients that end their sessions in every way there is, good and bad, one after the other and beside each other. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:tls";
import { Wire, listenLocally } from "./wire.ts";

type Ending = (port: number) => Promise<void>;

async function active(wire: Wire): Promise<Disposable & { accepted: Promise<Socket> }> {
  const { server, port } = await listenLocally();
  const accepted = new Promise<Socket>((resolve) => {
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => {});
      resolve(socket);
    });
  });
  await wire.expect(200, `PORT 127,0,0,1,${port >> 8},${port & 255}`);
  return { accepted, [Symbol.dispose]: () => server.close() };
}

/** A data connection of either kind, on which a command of ours has begun. */
async function transfer(wire: Wire, command: string): Promise<Socket> {
  await wire.expect(200, "TYPE I");
  if (randomInt(2) === 0) {
    const socket = await wire.passive();
    await wire.expect(150, command);
    return socket;
  }
  using listening = await active(wire);
  await wire.expect(150, command);
  // Before the listener closes.
  return await listening.accepted;
}

function end(socket: Socket): void {
  if (randomInt(2) === 0) socket.resetAndDestroy();
  else socket.destroy();
}

async function secured(port: number): Promise<Wire> {
  const plain = await Wire.open(port);
  await plain.expect(234, "AUTH TLS");
  const tls = connect({ socket: plain.socket, rejectUnauthorized: false });
  await once(tls, "secureConnect");
  const wire = Wire.over(tls);
  await wire.expect(331, "USER ann");
  await wire.expect(230, "PASS secret");
  await wire.expect(200, "PBSZ 0");
  await wire.expect(200, "PROT P");
  return wire;
}

/** Milliseconds for one session, on a machine that is busy with many. */
const PATIENCE_MS = 10_000;

/** By name, for figures and for a failure to tell. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  async quit(port) {
    using wire = await Wire.login(port);
    await wire.fetch("LIST");
    await wire.expect(221, "QUIT");
  },
  async reset(port) {
    const wire = await Wire.login(port);
    wire.socket.resetAndDestroy();
  },
  async fin(port) {
    using wire = await Wire.open(port);
    wire.socket.end("NOOP\r\n");
    await wire.closed();
  },
  async unread(port) {
    const wire = await Wire.connect(port);
    end(wire.socket);
  },
  async midLogin(port) {
    const wire = await Wire.open(port);
    await wire.expect(331, "USER ann");
    wire.send("PASS secret");
    end(wire.socket);
  },
  async midUpload(port) {
    const wire = await Wire.login(port);
    const data = await transfer(wire, `STOR up-${randomInt(8)}`);
    data.write(Buffer.alloc(50_000));
    end(randomInt(2) === 0 ? data : wire.socket);
    end(data);
    wire[Symbol.dispose]();
  },
  async midDownload(port) {
    const wire = await Wire.login(port);
    const data = await transfer(wire, "RETR large");
    end(randomInt(2) === 0 ? data : wire.socket);
    end(data);
    wire[Symbol.dispose]();
  },
  async passiveUnused(port) {
    const wire = await Wire.login(port);
    await wire.passivePort();
    if (randomInt(2) === 0) wire.send("LIST");
    end(wire.socket);
  },
  async activeRefused(port) {
    using wire = await Wire.login(port);
    const listening = await active(wire);
    listening[Symbol.dispose]();
    await wire.expect(425, "LIST");
  },
  async handshake(port) {
    const wire = await Wire.open(port);
    await wire.expect(234, "AUTH TLS");
    if (randomInt(2) === 0) connect({ socket: wire.socket, rejectUnauthorized: false }).on("error", () => {});
    else wire.socket.write(Buffer.from("160301020001000", "hex"));
    setImmediate(() => end(wire.socket));
    await wire.closed();
  },
  async dataHandshake(port) {
    const wire = await secured(port);
    const data = await wire.passive();
    wire.send("LIST");
    if (randomInt(2) === 0) data.write("no TLS at all");
    const opening = await Promise.race([wire.reply().catch(() => {}), new Promise((resolve) => setImmediate(resolve))]);
    void opening;
    end(data);
    wire[Symbol.dispose]();
  },
  async secureQuit(port) {
    using wire = await secured(port);
    await wire.expect(221, "QUIT");
  },
};

/** So many sessions, so many at once. @returns how often each ending was taken. */
export async function churn(
  port: number,
  { count, atOnce }: { count: number; atOnce: number },
): Promise<Map<string, number>> {
  const taken = new Map<string, number>();
  const names = Object.keys(ENDINGS);
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const name = names[randomInt(names.length)] ?? "";
      taken.set(name, (taken.get(name) ?? 0) + 1);
      const limit = AbortSignal.timeout(PATIENCE_MS);
      const late = once(limit, "abort").then(() => Promise.reject(new Error("it takes too long")));
      await Promise.race([ENDINGS[name]?.(port), late]).catch((error: unknown) => {
        throw new Error(`the ending ${name} went wrong: ${String(error)}`, { cause: error });
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return taken;
}
