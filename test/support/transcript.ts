/**
 * Plays a transcript: what a client says and what a server answers, as text. The same file will be played against our
 * client with the roles swapped, and through the proxy.
 *
 *     # a comment
 *     C: RETR greeting.txt        a line from the client; \xHH and \\ are octets
 *     S: 150 *(7 bytes)*          the next reply: code, and a pattern for its lines joined by ` / `, * is anything
 *     EPSV                        plan a passive transfer (PASV likewise), and connect
 *     EPRT                        plan an active one (PORT likewise), and accept
 *     < hello\r\n                 all that the data connection brings up to its end; a pattern
 *     > hello\r\n                 sent on the data connection, then closed
 *     CLOSED                      the server has closed the control connection
 *     SERVER { … }                first line alone: settings of the server
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { mayReply } from "../../src/protocol/reply-sequences.ts";
import { Wire, listenLocally, readAll } from "./wire.ts";

export type Step = { readonly kind: string; readonly text: string; readonly line: number };

export function readTranscript(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    if (raw.trim() === "" || raw.startsWith("#")) continue;
    const found = /^(C:|S:|<|>|EPSV|PASV|EPRT|PORT|CLOSED|SERVER)(?: (.*))?$/.exec(raw);
    if (found === null) throw new Error(`line ${index + 1} is no step: ${raw}`);
    steps.push({ kind: found[1] ?? "", text: found[2] ?? "", line: index + 1 });
  }
  return steps;
}

/** @throws an AssertionError that names the line of the transcript. */
export async function playTranscript(steps: readonly Step[], port: number, host = "127.0.0.1"): Promise<void> {
  using player = new Player(await Wire.connect(port, host));
  for (const step of steps) {
    try {
      await player.play(step);
    } catch (error) {
      throw new Error(`line ${step.line} (${step.kind} ${step.text})`, { cause: error });
    }
  }
}

class Player implements Disposable {
  readonly #wire: Wire;
  #data: Promise<Socket> | undefined;
  /** Verbs that wait for their last reply, the oldest first, with the codes so far: the reply table is checked too. */
  readonly #waiting: { verb: string; codes: number[] }[] = [{ verb: "(greeting)", codes: [] }];

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async play({ kind, text }: Step): Promise<void> {
    switch (kind) {
      case "C:":
        this.#say(unescape(text));
        return;
      case "S:":
        await this.#hear(text);
        return;
      case "EPSV":
      case "PASV":
        this.#data = Promise.resolve(await this.#wire.passive(kind));
        return;
      case "EPRT":
      case "PORT":
        await this.#active(kind);
        return;
      case "<": {
        const socket = await this.#socket();
        const octets = await readAll(socket);
        match(octets.toString("latin1"), unescape(text));
        return;
      }
      case ">": {
        const socket = await this.#socket();
        socket.end(Buffer.from(unescape(text), "latin1"));
        socket.resume();
        return;
      }
      case "CLOSED":
        await this.#wire.closed();
    }
  }

  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
  }

  #say(line: string): void {
    this.#waiting.push({ verb: (line.split(" ")[0] ?? "").toUpperCase(), codes: [] });
    this.#wire.send(line);
  }

  async #hear(expected: string): Promise<void> {
    const [code = "", ...rest] = expected.split(" ");
    const reply = await this.#wire.reply();
    const got = reply.lines.join(" / ");
    assert.equal(`${reply.code}`, code, `got ${reply.code} ${got}`);
    if (rest.length > 0) match(got, unescape(rest.join(" ")));
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    assert.ok(mayReply(oldest.verb, oldest.codes, reply.code), `${oldest.verb} may not be answered by ${reply.code}`);
    oldest.codes.push(reply.code);
    if (reply.code >= 200) this.#waiting.shift();
  }

  async #active(kind: "EPRT" | "PORT"): Promise<void> {
    const { server, port } = await listenLocally();
    this.#data = once(server, "connection").then(([socket]: Socket[]) => {
      server.close();
      assert.ok(socket !== undefined);
      return socket;
    });
    const argument = kind === "EPRT" ? `|1|127.0.0.1|${port}|` : `127,0,0,1,${port >> 8},${port & 255}`;
    await this.#wire.expect(200, `${kind} ${argument}`);
  }

  async #socket(): Promise<Socket> {
    assert.ok(this.#data !== undefined, "no data connection was planned");
    const socket = await this.#data;
    this.#data = undefined;
    return socket;
  }
}

function unescape(text: string): string {
  const single: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t", e: "\x1b", "\\": "\\" };
  const octets = Buffer.from(text, "utf8").toString("latin1");
  return octets.replace(/\\(x[0-9A-Fa-f]{2}|.)/g, (_all, code: string) =>
    code.startsWith("x") ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (single[code] ?? code),
  );
}

function match(got: string, pattern: string): void {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^]*");
  assert.match(got, new RegExp(`^${source}$`));
}
