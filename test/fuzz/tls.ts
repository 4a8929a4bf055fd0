/**
 * Connections that begin TLS and break: cut by FIN or reset after any octet, garbage in place of records, half-closed,
 * left alone. What is left of them afterwards is for the caller to count.
 */
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { connect } from "node:tls";
import { Duplex } from "node:stream";
import { random } from "./lines.ts";

export type TlsFuzzPlan = {
  readonly port: number;
  readonly implicitPort: number;
  readonly connections: number;
  /** Connections at a time. */
  readonly parallel: number;
  readonly seed: number;
};

/** Octets after which a connection breaks: a whole session of the kind below has fewer, so some come to their good end. */
const LONGEST = 2_000;
/** Milliseconds after which one that the server does not close is closed by us. */
const PATIENCE_MS = 5_000;

type Break = "fin" | "reset" | "garbage" | "half-close" | "flip";
const BREAKS: readonly Break[] = ["fin", "reset", "garbage", "half-close", "flip"];

/** @returns how many connections ended each way: closed by the server, or by us because nothing came. */
export async function fuzzTls(plan: TlsFuzzPlan): Promise<{ closedByServer: number; givenUp: number }> {
  const next = random(plan.seed);
  const sum = { closedByServer: 0, givenUp: 0 };
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < plan.connections) {
      started += 1;
      const how = BREAKS[Math.floor(next() * BREAKS.length)] ?? "fin";
      const explicit = next() < 0.5;
      const wasClosed = await brokenConnection(explicit ? plan.port : plan.implicitPort, {
        how,
        explicit,
        after: Math.floor(next() ** 2 * LONGEST),
        version: next() < 0.5 ? "TLSv1.2" : "TLSv1.3",
        noise: next,
      });
      if (wasClosed) sum.closedByServer += 1;
      else sum.givenUp += 1;
    }
  };
  await Promise.all(Array.from({ length: plan.parallel }, worker));
  return sum;
}

type Terms = {
  readonly how: Break;
  readonly explicit: boolean;
  /** Octets of TLS that go out first. */
  readonly after: number;
  readonly version: "TLSv1.2" | "TLSv1.3";
  readonly noise: () => number;
};

async function brokenConnection(port: number, terms: Terms): Promise<boolean> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  if (terms.explicit) {
    socket.write("AUTH TLS\r\n");
    await answered(socket, /^234 .*\r\n/m);
  }
  const closed = once(socket, "close").then(() => true);
  const secured = connect({
    socket: new Breaking(socket, terms),
    rejectUnauthorized: false,
    minVersion: terms.version,
    maxVersion: terms.version,
  });
  secured.on("error", () => {});
  secured.resume();
  secured.write("USER ann\r\nPASS secret\r\nPBSZ 0\r\nPROT P\r\nEPSV\r\nLIST\r\nNOOP\r\nQUIT\r\n");
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  const started = performance.now();
  await closed;
  clearTimeout(timer);
  secured.destroy();
  return performance.now() - started < PATIENCE_MS;
}

async function answered(socket: Socket, pattern: RegExp): Promise<void> {
  let text = "";
  while (!pattern.test(text) && !socket.destroyed) {
    const [chunk]: unknown[] = await Promise.race([once(socket, "data"), once(socket, "close")]);
    if (Buffer.isBuffer(chunk)) text += chunk.toString("latin1");
  }
  socket.removeAllListeners("data");
}

/** The client's TLS writes through this; it breaks once so many octets have passed. */
class Breaking extends Duplex {
  readonly #socket: Socket;
  readonly #terms: Terms;
  #passed = 0;
  #isBroken = false;

  constructor(socket: Socket, terms: Terms) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#terms = terms;
    socket.on("data", (chunk: Buffer) => this.push(chunk));
    socket.on("end", () => {
      this.push(null);
      socket.end();
    });
    // The server may have closed it already: that is one of the ways in which these connections end.
    socket.on("error", () => {});
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const room = Math.max(this.#terms.after - this.#passed, 0);
    this.#passed += chunk.length;
    if (!this.#isBroken) this.#socket.write(chunk.subarray(0, room));
    if (this.#passed > this.#terms.after && !this.#isBroken) {
      this.#isBroken = true;
      this.#break(chunk.subarray(room));
    }
    done();
  }

  #break(rest: Buffer): void {
    const { how, noise } = this.#terms;
    const changed = Buffer.from(rest);
    switch (how) {
      case "fin":
        this.#socket.end();
        return;
      case "reset":
        this.#socket.resetAndDestroy();
        return;
      case "garbage":
        this.#socket.write(Buffer.from(Array.from({ length: 600 }, () => Math.floor(noise() * 256))));
        this.#socket.end();
        return;
      case "half-close":
        // The rest still goes out before the FIN, so that all of it may have been understood.
        this.#socket.end(rest);
        return;
      case "flip":
        changed[Math.floor(noise() * changed.length)] = Math.floor(noise() * 256);
        this.#socket.end(changed);
    }
  }
}
