/**
 * A path of 100 ms, or of what is asked for: the kernel's netem on the namespace's loopback, with a little loss, where it has that; else a proxy
 * of ours that holds every octet back, on the control connection and on the data connections that 229 and 227 announce. The
 * proxy knows delay alone: no loss, and no congestion window between the two ends.
 */
import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";
import { run } from "./processes.ts";

/** Milliseconds of each direction. */
const ONE_WAY_MS = 50;
/** Octets that may be under way in one direction: 1 Gbit/s for the time of a round trip. */
const UNDER_WAY = 12_500_000;
const NETEM = ["delay", `${ONE_WAY_MS}ms`, "loss", "0.01%", "limit", "100000"];

export type Path = AsyncDisposable & { readonly port: number; readonly how: "netem" | "proxy" };

/** @param isolated whether loopback is ours alone, so that it may be slowed down. */
export async function longPath(port: number, isolated: boolean): Promise<Path> {
  if (isolated && (await hasNetem())) {
    await run("tc", ["qdisc", "add", "dev", "lo", "root", "netem", ...NETEM]);
    return { port, how: "netem", [Symbol.asyncDispose]: endDelay };
  }
  return await heldPath(port, { oneWayMs: ONE_WAY_MS, underWay: UNDER_WAY });
}

/** What a path does: milliseconds of each direction, and octets that may be under way in one of them. */
export type Hold = { readonly oneWayMs: number; readonly underWay: number };

/** The proxy, whatever the kernel has. */
export async function heldPath(port: number, held: Hold): Promise<Path> {
  const open = new Set<Server | Socket>();
  const own = await proxy(port, { open, isControl: true, held });
  const clear = async (): Promise<void> => {
    for (const each of open) if ("destroy" in each) each.destroy();
    for (const each of open) if ("listen" in each) each.close();
  };
  return { port: own, how: "proxy", [Symbol.asyncDispose]: clear };
}

async function endDelay(): Promise<void> {
  await run("tc", ["qdisc", "del", "dev", "lo", "root"]);
}

let netem: Promise<boolean> | undefined;

export async function hasNetem(): Promise<boolean> {
  netem ??= run("tc", ["qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"])
    .then(endDelay)
    .then(
      () => true,
      () => false,
    );
  return await netem;
}

type Ends = { readonly open: Set<Server | Socket>; readonly isControl: boolean; readonly held: Hold };

/** Listens for connections to `port` that take their time. Its data connections are served once each. */
async function proxy(port: number, { open, isControl, held }: Ends): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const away = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    for (const socket of [client, away]) {
      open.add(socket);
      socket.on("error", () => void (client.destroy(), away.destroy()));
      socket.on("close", () => open.delete(socket));
    }
    hold(client, away, { held, change: async (chunk) => chunk });
    const change = isControl
      ? async (chunk: Buffer): Promise<Buffer> => await redirected(chunk, { open, held })
      : async (chunk: Buffer): Promise<Buffer> => chunk;
    hold(away, client, { held, change });
    if (!isControl) server.close();
  });
  open.add(server);
  server.on("close", () => open.delete(server));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

type Holding = { readonly held: Hold; readonly change: (chunk: Buffer) => Promise<Buffer> };

/** Moves octets from one end to the other, each of them one way's time later, in order. */
function hold(from: Socket, to: Socket, { held: { oneWayMs, underWay: most }, change }: Holding): void {
  const later = (act: () => void): void => void setTimeout(act, oneWayMs);
  let underWay = 0;
  let before = Promise.resolve();
  from.on("data", (chunk: Buffer) => {
    underWay += chunk.length;
    if (underWay > most) from.pause();
    const changed = change(chunk);
    const previous = before;
    before = new Promise((resolve) => {
      later(() => {
        void previous
          .then(async () => to.write(await changed))
          .then(() => {
            underWay -= chunk.length;
            if (underWay <= most / 2) from.resume();
            resolve();
          });
      });
    });
  });
  from.on("end", () => later(() => void before.then(() => to.end())));
}

/** A reply that announces a data port (RFC 2428 §3, RFC 959 §4.1.2), with the port of a slow way to it instead. */
async function redirected(chunk: Buffer, { open, held }: Omit<Ends, "isControl">): Promise<Buffer> {
  const line = chunk.toString("latin1");
  const extended = /^(229 [^\r\n]*\(\|\|\|)(\d+)(\|\))/m.exec(line);
  const old = /^(227 [^\r\n]*?\d+,\d+,\d+,\d+,)(\d+),(\d+)/m.exec(line);
  const port = extended === null ? 256 * Number(old?.[2]) + Number(old?.[3]) : Number(extended[2]);
  const [whole, start = ""] = extended ?? old ?? [];
  if (whole === undefined) return chunk;
  const own = await proxy(port, { open, isControl: false, held });
  const told = extended === null ? `${own >> 8},${own & 255}` : `${own}${extended[3]}`;
  return Buffer.from(line.replace(whole, `${start}${told}`), "latin1");
}
