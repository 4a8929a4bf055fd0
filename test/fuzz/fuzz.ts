/**
 * Throws lines at a server and counts its answers. After every line a NOOP with nothing else in it marks the end: what
 * comes before its 200 are the answers to the line. One final answer each is what RFC 959 §5.4 promises.
 */
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { parse227, parse229 } from "../../src/protocol/host-port.ts";
import { ReplyParser } from "../../src/protocol/reply.ts";
import { fuzzLine, random } from "./lines.ts";

export type FuzzPlan = {
  readonly port: number;
  readonly lines: number;
  readonly sessions: number;
  /** Sessions at a time. */
  readonly parallel: number;
  readonly seed: number;
  /** Milliseconds after which it stops, however far it has come. */
  readonly timeLimitMs: number;
};
export type FuzzReport = {
  readonly sent: number;
  readonly sessions: number;
  /** By reply code. */
  readonly codes: ReadonlyMap<number, number>;
  /** Lines that did not get exactly one final reply; with their seed and the replies. */
  readonly wrong: readonly string[];
};

/** Lines on their way at once in one session: pipelined, but below the server's queue. */
const WINDOW = 16;
/** Milliseconds without any reply that are a fault. */
const SILENCE_MS = 15_000;
/** Complaints kept. */
const WRONG_KEPT = 20;

export async function fuzz(plan: FuzzPlan): Promise<FuzzReport> {
  const codes = new Map<number, number>();
  const wrong: string[] = [];
  const deadline = Date.now() + plan.timeLimitMs;
  let sent = 0;
  let started = 0;
  const perSession = Math.ceil(plan.lines / plan.sessions);
  const worker = async (): Promise<void> => {
    while (started < plan.sessions && Date.now() < deadline) {
      const seed = plan.seed + started;
      started += 1;
      const done = await oneSession({ port: plan.port, seed, lines: perSession, deadline, codes, wrong });
      sent += done;
    }
  };
  await Promise.all(Array.from({ length: plan.parallel }, worker));
  return { sent, sessions: started, codes, wrong };
}

type Run = {
  readonly port: number;
  readonly seed: number;
  readonly lines: number;
  readonly deadline: number;
  readonly codes: Map<number, number>;
  readonly wrong: string[];
};

/**
 * The marker is `OPTS UTF8 ON` (200 `UTF8 is on.`), as no mutated line is likely to give just that text by chance;
 * those that do are known, as we know the line.
 */
const MARKER = "OPTS UTF8 ON";
const MARKED = "UTF8 is on.";

async function oneSession(run: Run): Promise<number> {
  const session = await FuzzSession.open(run);
  let count = 0;
  while (count < run.lines && Date.now() < run.deadline) {
    const lines = Array.from({ length: Math.min(WINDOW, run.lines - count) }, () => fuzzLine(session.next));
    if (!(await session.tryOut(lines))) return count;
    count += lines.length;
  }
  await session.quit();
  return count;
}

class FuzzSession {
  readonly next: () => number;
  readonly #run: Run;
  readonly #socket: Socket;
  readonly #replies: AsyncGenerator<{ code: number; text: string }, void, void>;
  #asked = "the greeting";
  #lastReply = Date.now();

  private constructor(run: Run, socket: Socket) {
    this.#run = run;
    this.#socket = socket;
    this.next = random(run.seed);
    this.#replies = repliesOf(socket);
    // A line that is never answered ends the session, and so the wait, with a complaint.
    const silence = setInterval(() => {
      if (Date.now() - this.#lastReply < SILENCE_MS) return;
      this.#complain(`no answer to ${JSON.stringify(this.#asked)}`);
      socket.destroy();
    }, 1_000);
    socket.once("close", () => clearInterval(silence));
  }

  static async open(run: Run): Promise<FuzzSession> {
    const socket = createConnection({ port: run.port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    await once(socket, "connect");
    const session = new FuzzSession(run, socket);
    socket.write("USER ann\r\nPASS secret\r\n");
    for (let turn = 0; turn < 3; turn++) await session.#replies.next();
    return session;
  }

  /** Sends the lines, each with the marker behind it, and counts the answers. @returns false when the session ended. */
  async tryOut(lines: readonly string[]): Promise<boolean> {
    this.#socket.write(Buffer.from(lines.map((line) => `${line}\r\n${MARKER}\r\n`).join(""), "latin1"));
    // Urgent commands may be answered before those ahead of them: then only the sum is sure.
    const isOrdered = !lines.some((line) => /ABOR|STAT|NOOP/i.test(line));
    let finals = 0;
    for (const line of lines) {
      const codes = await this.#answersTo(line);
      if (codes === undefined) return false;
      const final = codes.filter((code) => code >= 200).length;
      finals += final;
      if (isOrdered && final !== 1) {
        this.#complain(`${JSON.stringify(line)} was answered by ${codes.join(" ") || "nothing"}`);
      }
    }
    if (finals !== lines.length) {
      this.#complain(`${lines.length} lines got ${finals} answers: ${JSON.stringify(lines)}`);
    }
    return true;
  }

  async quit(): Promise<void> {
    this.#socket.end("QUIT\r\n");
    while ((await this.#replies.next()).done !== true);
  }

  /** The codes that come before the marker's. @returns undefined when the session ended. */
  async #answersTo(line: string): Promise<number[] | undefined> {
    const answers: number[] = [];
    this.#asked = line;
    for (;;) {
      const step = await this.#replies.next();
      this.#lastReply = Date.now();
      if (step.done === true) {
        this.#complain(`the connection ended at ${JSON.stringify(line)}`);
        return undefined;
      }
      const { code, text } = step.value;
      if (code === 229 || code === 227) meet(text, this.next);
      if (code === 200 && text === MARKED && (answers.length > 0 || !/^OPTS UTF8/i.test(line))) return answers;
      answers.push(code);
      this.#run.codes.set(code, (this.#run.codes.get(code) ?? 0) + 1);
    }
  }

  #complain(what: string): void {
    const text = `seed ${this.#run.seed}: ${what}`;
    if (this.#run.wrong.length < WRONG_KEPT) this.#run.wrong.push(text.length > 400 ? `${text.slice(0, 400)}…` : text);
  }
}

/** Makes the data connection that a 227 or 229 offers, reads what comes, and now and then sends a little. */
function meet(text: string, next: () => number): void {
  const port = parse229(text) ?? parse227(text)?.port;
  if (port === undefined) return;
  const socket = createConnection({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.resume();
  if (next() < 0.5) socket.end("some octets\r\n");
  else socket.end();
}

async function* repliesOf(socket: Socket): AsyncGenerator<{ code: number; text: string }, void, void> {
  const parser = new ReplyParser();
  try {
    for await (const chunk of socket) {
      if (!Buffer.isBuffer(chunk)) continue;
      for (const { code, lines } of parser.push(chunk)) yield { code, text: lines.join("\n") };
    }
  } catch {
    // A reset ends it like a FIN.
  }
}
