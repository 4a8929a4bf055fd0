/**
 * The load generator for machines without a C compiler: modes, options and result are those of load.c. It copies every
 * octet and decrypts TLS, so it is to be told apart in results.
 * Usage: node bench/load/load.ts MODE --port N … (see options.ts)
 */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Fault, type Options, numbered, readOptions } from "./options.ts";
import { Figures, Session } from "./session.ts";

/** Sessions that sign in at the same time. */
const DOORS = 32;
/** Milliseconds between two NOOPs. */
const BETWEEN_MS = 2;
/** Octets of one write of a raw upload. */
const CHUNK = 2 ** 18;

type Run = { readonly figures: Figures; readonly seconds: number; readonly cpu: number };
type Work = (session: Session, expected: number | undefined) => Promise<void>;

async function retrieve(options: Options, session: Session, expected: number | undefined): Promise<void> {
  for (let turn = 0; turn < options.repeat; turn += 1) {
    const path = numbered(options.path, session.number);
    const done = await session.fetch(`RETR ${path}`);
    if (expected !== undefined && done !== expected)
      throw session.fault(`${done} octets came, the file has ${expected}`);
    session.figures.bytes += done;
    session.figures.operations += 1;
  }
}

async function store(options: Options, session: Session): Promise<void> {
  const pattern = options.path.includes("%d") ? options.path : `${options.path}.%d`;
  for (let turn = 0; turn < options.repeat; turn += 1) {
    session.figures.bytes += await session.store(numbered(pattern, session.number), options.size);
    session.figures.operations += 1;
  }
}

async function smallFiles(options: Options, session: Session): Promise<void> {
  for (let file = session.number; file < options.files; file += options.sessions) {
    const path = numbered(options.path, file);
    const started = performance.now();
    const down = options.mode === "small-retr";
    const done = down ? await session.fetch(`RETR ${path}`) : await session.store(path, options.size);
    session.figures.latencies.push(performance.now() - started);
    session.figures.bytes += done;
    session.figures.operations += 1;
  }
}

async function list(options: Options, session: Session): Promise<void> {
  const { figures } = session;
  const take = (chunk: Buffer): void => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) figures.lines += 1;
  };
  for (let turn = 0; turn < options.repeat; turn += 1) {
    figures.bytes += await session.fetch(`${options.verb} ${options.path}`.trim(), { take });
    figures.operations += 1;
  }
}

async function repeatCommand(options: Options, session: Session): Promise<void> {
  for (let turn = 0; turn < options.repeat; turn += 1) {
    await session.ask(2, options.command);
    session.figures.operations += 1;
  }
}

/** Sessions that are signed in before the clock starts, and begin together. */
async function together(options: Options, work: Work): Promise<Run> {
  const sessions = await gather(options, options.sessions);
  await Promise.all(sessions.map(async (session) => session.prepare()));
  const whole = options.mode === "retr" && options.type === "I" && !options.modeZ;
  const expected = await Promise.all(
    sessions.map(async (session) => (whole ? session.size(numbered(options.path, session.number)) : undefined)),
  );
  for (const session of sessions) session.figures = new Figures();
  const run = await timed(async () => {
    await Promise.all(sessions.map(async (session, at) => work(session, expected[at])));
    return sumOf(sessions);
  });
  await Promise.all(sessions.map(async (session) => session.quit()));
  return run;
}

async function logIn(options: Options): Promise<Run> {
  return timed(async () => {
    const sum = new Figures();
    const lane = async (_: unknown, number: number): Promise<void> => {
      for (let turn = 0; turn < options.repeat; turn += 1) {
        const started = performance.now();
        const session = await Session.signIn(options, number);
        sum.latencies.push(performance.now() - started);
        await session.quit();
        add(sum, session.figures);
        sum.operations += 1;
      }
    };
    await Promise.all(Array.from({ length: options.sessions }, lane));
    return sum;
  });
}

async function idle(options: Options): Promise<undefined> {
  const started = performance.now();
  const sessions = await gather(options, options.sessions);
  watch.close();
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ mode: "idle", ready: sessions.length, seconds }));
  await Promise.race([once(process.stdin.resume(), "end"), ...sessions.map(async (session) => session.putOut())]);
  for (const session of sessions) session.close();
}

async function noop(options: Options): Promise<Run> {
  const crowd = await gather(options, options.idle);
  const busy = await gather(options, options.busy);
  const [prober] = await gather(options, 1);
  if (prober === undefined) throw new Fault("no session");
  await Promise.all(busy.map(async (session) => session.prepare()));
  for (const session of [prober, ...busy]) session.figures = new Figures();
  let over = false;
  const run = await timed(async () => {
    const downloads = busy.map(async (session) => paced(options, { session, stop: () => over }));
    // The first fault of a download must not wait for the end of the probe.
    await Promise.race([probe(options, prober), Promise.all(downloads).then(async () => new Promise(() => {}))]);
    over = true;
    await Promise.all(downloads);
    return sumOf([prober, ...busy], prober.figures.operations);
  });
  for (const session of [prober, ...crowd, ...busy]) session.close();
  return run;
}

async function probe(options: Options, prober: Session): Promise<void> {
  const { figures } = prober;
  for (let turn = 0; turn < options.repeat; turn += 1) {
    const asked = performance.now();
    await prober.ask(2, "NOOP");
    figures.latencies.push(performance.now() - asked);
    figures.operations += 1;
    await delay(BETWEEN_MS);
  }
}

/** Downloads again and again, no faster than --pace, until it is told to stop. */
async function paced(options: Options, { session, stop }: { session: Session; stop: () => boolean }): Promise<void> {
  const { figures } = session;
  const path = numbered(options.path, session.number);
  while (!stop()) {
    const started = performance.now();
    let done = 0;
    const take = async (chunk: Buffer): Promise<void> => {
      done += chunk.length;
      figures.bytes += chunk.length;
      await delay(Math.max(0, started + (done / options.pace) * 1000 - performance.now()));
    };
    await session.fetch(`RETR ${path}`, { take, stop });
  }
}

/** Octets over loopback without FTP: Node's streams between a file or memory and a connection. */
async function raw(options: Options): Promise<Run> {
  const down = options.mode === "raw-down";
  return timed(async () => {
    const sum = new Figures();
    const pair = async (_: unknown, number: number): Promise<void> => {
      const path = numbered(options.path, number);
      const size = down ? (await stat(path)).size : options.size;
      const listener = createServer().listen(0, "127.0.0.1");
      await once(listener, "listening");
      const address = listener.address();
      if (address === null || typeof address === "string") throw new Fault("no port on loopback");
      const accepted = once(listener, "connection");
      const receiver = createConnection({ host: "127.0.0.1", port: address.port });
      const [sender]: NodeJS.WritableStream[] = await accepted;
      if (sender === undefined) throw new Fault("no connection over loopback");
      listener.close();
      const source = down ? createReadStream(path, { highWaterMark: CHUNK }) : memory(size);
      const taken = down ? pipeline(receiver, discard) : pipeline(receiver, createWriteStream(path));
      await Promise.all([pipeline(source, sender), taken]);
      sum.bytes += size;
      sum.operations += 1;
    };
    await Promise.all(Array.from({ length: options.sessions }, pair));
    return sum;
  });
}

async function discard(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks) continue;
}

function* memory(size: number): Generator<Buffer> {
  const block = Buffer.alloc(CHUNK, "load");
  for (let left = size; left > 0; left -= CHUNK) yield left < CHUNK ? block.subarray(0, left) : block;
}

/** So many sessions that are signed in, some at a time. */
async function gather(options: Options, count: number): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  let next = 0;
  const door = async (): Promise<void> => {
    while (next < count) {
      const number = next;
      next += 1;
      sessions[number] = await Session.signIn(options, number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(DOORS, count) }, door));
  return sessions;
}

async function timed(work: () => Promise<Figures>): Promise<Run> {
  const before = process.cpuUsage();
  const started = performance.now();
  const figures = await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { figures, seconds, cpu: (user + system) / 1e6 };
}

function add(sum: Figures, { bytes, operations, lines, handshakes, resumed, latencies }: Figures): void {
  sum.bytes += bytes;
  sum.operations += operations;
  sum.lines += lines;
  sum.handshakes += handshakes;
  sum.resumed += resumed;
  for (const each of latencies) sum.latencies.push(each);
}

/** @param operations where not all that the sessions did counts. */
function sumOf(sessions: readonly Session[], operations?: number): Figures {
  const sum = new Figures();
  for (const { figures } of sessions) add(sum, figures);
  if (operations !== undefined) sum.operations = operations;
  return sum;
}

function print({ mode, sessions, tls }: Options, { figures, seconds, cpu }: Run): void {
  const { bytes, operations, lines, handshakes, resumed } = figures;
  const sorted = figures.latencies.toSorted((one, other) => one - other);
  // Nearest rank: the smallest value that so many of them do not exceed.
  const rank = (part: number): number => Math.round((sorted[Math.ceil(sorted.length * part) - 1] ?? 0) * 10_000) / 10;
  const result = {
    mode,
    sessions,
    seconds,
    ...(mode === "login" || mode === "command" ? {} : { bytes }),
    operations,
    ...(mode === "list" ? { lines } : {}),
    clientCpuSeconds: cpu,
    ...(sorted.length > 0 ? { p50us: rank(0.5), p99us: rank(0.99), maxus: rank(1) } : {}),
    ...(tls ? { handshakes, resumed } : {}),
  };
  console.log(JSON.stringify(result));
}

const MODES: Readonly<Record<string, (options: Options) => Promise<Run | undefined>>> = {
  retr: async (options) => together(options, async (session, expected) => retrieve(options, session, expected)),
  stor: async (options) => together(options, async (session) => store(options, session)),
  "small-retr": async (options) => together(options, async (session) => smallFiles(options, session)),
  "small-stor": async (options) => together(options, async (session) => smallFiles(options, session)),
  list: async (options) => together(options, async (session) => list(options, session)),
  command: async (options) => together(options, async (session) => repeatCommand(options, session)),
  login: logIn,
  idle,
  noop,
  "raw-down": raw,
  "raw-up": raw,
};

/** The time limit of the whole run. */
const watch = {
  timer: setTimeout(() => {}, 0),
  open({ timeout }: Options): void {
    watch.timer = setTimeout(() => end(new Fault(`not done after ${timeout} seconds (--timeout)`)), timeout * 1000);
  },
  close: (): void => clearTimeout(watch.timer),
};

function end(error: unknown): void {
  console.error(`load ${process.argv[2] ?? ""}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

try {
  const options = readOptions(process.argv.slice(2));
  const mode = MODES[options.mode];
  if (mode === undefined) throw new Fault("this mode is not known");
  watch.open(options);
  const run = await mode(options);
  if (run !== undefined) print(options, run);
  process.exit(0);
} catch (error) {
  end(error);
}
