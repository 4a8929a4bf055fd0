/**
 * Plays a transcript: what a client says and what a server answers, as text. The same file will be played against our
 * client with the roles swapped, and through the proxy.
 *
 *     # a comment
 *     SERVER { … }                first line alone: what the server is like, see test/transcripts.test.ts
 *     USER ann                    sign in (after the greeting, if that is still to come)
 *     C: RETR greeting.txt        a line from the client; \xHH and \\ are octets, other text is UTF-8
 *     S: 150 *(7 bytes)*          the next reply: code, and a pattern for its lines joined by ` / `, * is anything
 *     EPSV                        plan a passive transfer (PASV likewise), and connect
 *     EPRT                        plan an active one (PORT likewise), and accept
 *     < hello\r\n                 all that the data connection brings up to its end; a pattern
 *     > hello\r\n                 sent on the data connection, then closed
 *     >> hello                    sent on it, and left open, once the server has seen it all
 *     RESET                       cuts the data connection as a line that breaks does
 *     FILE name hello\n           what the served folder holds now; `\x20` for a space in the name
 *     TLS                         the client's handshake on the control connection
 *     CLEAR                       the client's part of taking TLS off the control connection again
 *     PRIVATE                     data connections from here on are private, with the control connection's TLS session
 *     BARE                        data connections from here on are in clear again
 *     CLOSED                      the server has closed the control connection
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Server, Socket } from "node:net";
import { mayReply } from "../../src/protocol/reply-sequences.ts";
import { PrivateWire } from "./tls.ts";
import { Wire, listenLocally, readAll } from "./wire.ts";

export type Step = { readonly kind: string; readonly text: string; readonly line: number };

/** Questions of STAT after which octets that the server should have are given up; each takes a turn of its loop. */
const PATIENCE = 2_000;

const STEP = /^(C:|S:|<|>|>>|EPSV|PASV|EPRT|PORT|RESET|FILE|USER|CLOSED|SERVER|TLS|CLEAR|PRIVATE|BARE)(?: (.*))?$/;

export function readTranscript(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    if (raw.trim() === "" || raw.startsWith("#")) continue;
    const found = STEP.exec(raw);
    if (found === null) throw new Error(`line ${index + 1} is no step: ${raw}`);
    steps.push({ kind: found[1] ?? "", text: found[2] ?? "", line: index + 1 });
  }
  return steps;
}

/** The verbs that the client of a transcript sends as `C:` lines, `SITE CHMOD` and the like among them. */
export function verbsOf(steps: readonly Step[]): ReadonlySet<string> {
  const lines = steps.filter(({ kind }) => kind === "C:").map(({ text }) => text.toUpperCase().split(" "));
  return new Set(lines.flatMap(([verb = "", next = ""]) => (verb === "SITE" ? [verb, `SITE ${next}`] : [verb])));
}

type Place = {
  readonly port: number;
  readonly host: string;
  /** The served folder, for FILE. */
  readonly root: string;
};

/** @throws an Error that names the line of the transcript, its cause being what was not as expected. */
export async function playTranscript(steps: readonly Step[], place: Place): Promise<void> {
  using player = new Player(await Wire.connect(place.port, place.host), place);
  for (const step of steps) {
    try {
      await player.play(step);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`line ${step.line} (${step.kind} ${step.text}): ${why}`, { cause: error });
    }
  }
}

type Waiting = { readonly verb: string; readonly codes: number[] };

class Player implements Disposable {
  readonly #wire: Wire;
  readonly #place: Place;
  #data: Promise<Socket> | undefined;
  /** The data connection of the plan, once something has moved on it, up to its end. */
  #open: Socket | undefined;
  #secured: PrivateWire | undefined;
  #isPrivate = false;
  readonly #tidyUp = new DisposableStack();
  #greeted = false;
  /** Octets sent on the open data connection. */
  #sent = 0;
  /** Commands that wait for their last reply, the oldest first, with the codes so far: the reply table is checked too. */
  readonly #waiting: Waiting[] = [{ verb: "(greeting)", codes: [] }];

  constructor(wire: Wire, place: Place) {
    this.#wire = wire;
    this.#place = place;
  }

  async play({ kind, text }: Step): Promise<void> {
    switch (kind) {
      case "C:":
        this.#say(unescape(text));
        return;
      case "S:":
        await this.#hear(text);
        return;
      case "USER":
        await this.#signIn(text);
        return;
      case "EPSV":
      case "PASV":
        this.#plan(Promise.resolve(this.#keep(await this.#wire.passive(kind))));
        return;
      case "EPRT":
      case "PORT":
        await this.#active(kind);
        return;
      case "<":
      case ">":
      case ">>":
      case "RESET":
        await this.#move(kind, text);
        return;
      case "FILE":
        await this.#look(text);
        return;
      case "CLOSED":
        await this.#wire.closed();
        return;
      default:
        await this.#changeTls(kind);
    }
  }

  async #changeTls(kind: string): Promise<void> {
    if (kind === "TLS") this.#secured = await PrivateWire.secure(this.#wire);
    else if (kind === "CLEAR") await this.#secured?.clear();
    else if (kind === "PRIVATE" || kind === "BARE") this.#isPrivate = kind === "PRIVATE";
  }

  [Symbol.dispose](): void {
    this.#tidyUp.dispose();
    this.#wire[Symbol.dispose]();
  }

  #say(line: string): void {
    // Clients send ABOR behind Telnet's IP and DM.
    const [verb = ""] = /[A-Za-z0-9]+/.exec(line) ?? [];
    this.#waiting.push({ verb: verb.toUpperCase(), codes: [] });
    this.#wire.send(line);
  }

  /** @returns the lines of the reply, joined. */
  async #hear(expected: string): Promise<string> {
    const [code = "", ...rest] = expected.split(" ");
    const reply = await this.#wire.reply();
    const got = reply.lines.join(" / ");
    this.#greeted = true;
    assert.equal(`${reply.code}`, code, `got ${reply.code} ${got}`);
    if (rest.length > 0) match(got, rest.join(" "));
    const answered = this.#whoseReply(reply.code);
    assert.ok(answered !== undefined, "a reply to nothing");
    const { verb, codes } = answered;
    assert.ok(mayReply(verb, codes, reply.code), `${verb} may not be answered by ${codes.join()} ${reply.code}`);
    codes.push(reply.code);
    if (reply.code >= 200) this.#waiting.splice(this.#waiting.indexOf(answered), 1);
    return got;
  }

  /** The oldest command's, but for urgent ones (ABOR, STAT, NOOP), which are answered while a transfer runs. */
  #whoseReply(code: number): Waiting | undefined {
    const [oldest, next] = this.#waiting;
    if (oldest === undefined || next === undefined || oldest.codes.length === 0) return oldest;
    return mayReply(oldest.verb, oldest.codes, code) ? oldest : next;
  }

  async #signIn(name: string): Promise<void> {
    if (!this.#greeted) await this.#hear("220");
    this.#say(`USER ${name}`);
    await this.#hear("331");
    this.#say("PASS secret");
    await this.#hear("230");
  }

  async #active(kind: "EPRT" | "PORT"): Promise<void> {
    const { host } = this.#place;
    const listening = await listenLocally(host);
    const { server, port } = listening;
    this.#tidyUp.defer(() => void server.close());
    this.#plan(accepted(server).then((socket) => this.#keep(socket)));
    const family = host.includes(":") ? 2 : 1;
    const argument = kind === "EPRT" ? `|${family}|${host}|${port}|` : `127,0,0,1,${port >> 8},${port & 255}`;
    this.#say(`${kind} ${argument}`);
    await this.#hear("200");
  }

  #plan(data: Promise<Socket>): void {
    // Where the server never comes, nobody waits for it.
    data.catch(() => {});
    this.#data = data;
    this.#open = undefined;
    this.#sent = 0;
  }

  #keep(socket: Socket): Socket {
    socket.on("error", () => {});
    this.#tidyUp.defer(() => void socket.destroy());
    return socket;
  }

  async #move(kind: "<" | ">" | ">>" | "RESET", text: string): Promise<void> {
    const octets = Buffer.from(unescape(text), "latin1");
    this.#open ??= await this.#protected();
    const socket = this.#open;
    assert.ok(socket !== undefined, "no data connection was planned");
    if (kind === ">>") {
      socket.write(octets);
      this.#sent += octets.length;
      await this.#seen();
      return;
    }
    this.#data = undefined;
    this.#open = undefined;
    if (kind === "<") match((await readAll(socket)).toString("latin1"), text);
    else if (kind === "RESET") socket.resetAndDestroy();
    else socket.resume().end(octets);
  }

  /** The planned connection; TLS begins on it when the 150 was seen (RFC 4217 §10.2). */
  async #protected(): Promise<Socket | undefined> {
    const socket = await this.#data;
    if (socket === undefined || !this.#isPrivate || this.#secured === undefined) return socket;
    return this.#secured.protect(socket);
  }

  /** Asks by STAT until the server tells of all octets that were sent: then no reset can overtake them. */
  async #seen(): Promise<void> {
    for (let turn = 0; turn < PATIENCE; turn++) {
      this.#say("STAT");
      if ((await this.#hear("211")).includes(`, ${this.#sent} bytes so far`)) return;
    }
    throw new Error(`the server has not seen the ${this.#sent} octets that were sent`);
  }

  async #look(text: string): Promise<void> {
    const [name = "", ...content] = text.split(" ");
    const path = Buffer.from(`${this.#place.root}/${unescape(name)}`, "latin1");
    assert.equal((await readFile(path)).toString("latin1"), unescape(content.join(" ")));
  }
}

async function accepted(server: Server): Promise<Socket> {
  const [socket]: Socket[] = await once(server, "connection");
  server.close();
  assert.ok(socket !== undefined);
  return socket;
}

function unescape(text: string): string {
  const single: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t", e: "\x1b", "\\": "\\" };
  const octets = Buffer.from(text, "utf8").toString("latin1");
  return octets.replace(/\\(x[0-9A-Fa-f]{2}|.)/g, (_all, code: string) =>
    code.startsWith("x") ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (single[code] ?? code),
  );
}

/** @param pattern as it stands in the transcript; `\*` is a star. */
function match(got: string, pattern: string): void {
  const octets = unescape(pattern.replaceAll("\\*", "\0"));
  const source = octets
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("\0", "\\*");
  assert.match(got, new RegExp(`^${source}$`));
}
