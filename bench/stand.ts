/** The servers of a run: started once and kept, started afresh for some measures, and all ended at the end. */
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../test/support/ports.ts";
import type { Ground } from "./ground.ts";
import { type Meter, launch } from "./meter.ts";
import type { Login, Peer } from "./peers/peer.ts";
import { ProgramError } from "./processes.ts";

/** Milliseconds until a server must have let a guest in, and between two tries to reach it. */
const [START_LIMIT_MS, TRY_MS] = [20_000, 2];

export type Running = AsyncDisposable & { readonly port: number; readonly meter: Meter; readonly startSeconds: number };

export class Stand {
  readonly #ground: Ground;
  readonly #group: string | undefined;
  readonly #kept = new Map<string, Running>();
  readonly #all = new Set<Running>();

  constructor(ground: Ground, group: string | undefined) {
    this.#ground = ground;
    this.#group = group;
  }

  /** The one that runs on, started if it does not run (any more). */
  async kept(peer: Peer): Promise<Running> {
    const there = this.#kept.get(peer.name);
    if (there !== undefined && there.meter.child.exitCode === null && there.meter.child.signalCode === null)
      return there;
    if (there !== undefined) await there[Symbol.asyncDispose]();
    const running = await this.fresh(peer);
    this.#kept.set(peer.name, running);
    return running;
  }

  /** Ends the one that runs on: the next use starts it afresh. */
  async drop({ name, forAccounts }: Peer): Promise<void> {
    await this.#kept.get(name)?.[Symbol.asyncDispose]();
    this.#kept.delete(name);
    if (forAccounts !== undefined) await this.drop(forAccounts);
  }

  /** One more of it, from its start to its first login. @throws {ProgramError} with what it said. */
  async fresh(peer: Peer): Promise<Running> {
    const port = await freePort();
    const plan = await peer.prepare(this.#ground, port);
    const started = performance.now();
    const meter = launch(plan, this.#group);
    const dispose = async (): Promise<void> => {
      this.#all.delete(running);
      await meter.stop();
    };
    const running = { port, meter, startSeconds: 0, [Symbol.asyncDispose]: dispose };
    this.#all.add(running);
    try {
      await firstLogin(meter, port, peer.logins(this.#ground).guest);
      return Object.assign(running, { startSeconds: (performance.now() - started) / 1_000 });
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(async (each) => await each[Symbol.asyncDispose]()));
  }
}

async function firstLogin({ child, said }: Meter, port: number, login: Login): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  let last = "";
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    try {
      await signIn(port, login);
      return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      await delay(TRY_MS);
    }
  }
  throw new ProgramError(`did not start: ${errorIn(said()) ?? last}`);
}

async function signIn(port: number, { user, password }: Login): Promise<void> {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  try {
    await answer(socket, "220");
    socket.write(`USER ${user}\r\n`);
    // Some let guests in without a password.
    if ((await answer(socket, "331", "230")).startsWith("331")) {
      socket.write(`PASS ${password}\r\n`);
      await answer(socket, "230");
    }
    socket.write("QUIT\r\n");
  } finally {
    socket.destroy();
  }
}

/** The reply, if it begins with one of these codes. */
async function answer(socket: Socket, ...codes: readonly string[]): Promise<string> {
  let heard = "";
  const signal = AbortSignal.timeout(START_LIMIT_MS);
  while (!codes.some((code) => heard.startsWith(code))) {
    if (/^[45]\d\d/.test(heard)) throw new ProgramError(heard.trim());
    if (socket.destroyed) throw new ProgramError("the connection ended");
    const closed = new AbortController();
    const [chunk]: unknown[] = await Promise.race([
      once(socket, "data", { signal: AbortSignal.any([signal, closed.signal]) }),
      once(socket, "close", { signal: AbortSignal.any([signal, closed.signal]) }).then(() => {
        throw new ProgramError("the connection ended");
      }),
    ]).finally(() => closed.abort());
    heard += String(chunk);
  }
  return heard;
}

/** The line of a program's last words that says most. */
function errorIn(words: string): string | undefined {
  const lines = words.split("\n").map((line) => line.trim());
  return lines.find((line) => /^\w*Error\b|cannot|failed/i.test(line)) ?? lines.find((line) => line !== "");
}
