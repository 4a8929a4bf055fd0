/**
 * One control connection on the wire: lines out, replies in, each of both within limits. It knows nothing of what the
 * commands mean. A server that says what it was not asked, or says it without end, is given up here (attack 64).
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type ByteString, bytesOf } from "../base/bytes.ts";
import { ReplyParser } from "../protocol/reply.ts";
import { FtpError, type FtpPhase, type FtpReply, printable, shownCommand } from "./errors.ts";
import { ARGUMENT_MOST, EARLY_REPLIES, KEEP_ALIVE_MS, PRELIMINARY_MOST } from "./limits.ts";
import { called } from "./waits.ts";

/** Between text of people and octets of the wire. */
export type Names = { decode(octets: ByteString): string; encode(text: string): ByteString };

/** Who hears of lines. */
export type Watcher = { readonly command: (line: string) => void; readonly reply: (reply: FtpReply) => void };

export type ControlTerms = {
  readonly names: Names;
  readonly watcher: Watcher;
  /** Milliseconds for one reply. */
  readonly replyMs: number;
};

export class ControlLink {
  readonly #terms: ControlTerms;
  #socket: Socket;
  #parser = new ReplyParser();
  readonly #replies: FtpReply[] = [];
  #fault: FtpError | undefined;
  #wake: (() => void) | undefined;
  /** What went out last, for messages. */
  #lastCommand: string | undefined;
  readonly #onClosed: (() => void)[] = [];
  readonly #data = (chunk: Buffer): void => this.#take(chunk);
  readonly #ended = (): void => this.#fail(this.#lost("the server closed the control connection"));
  readonly #failed = (error: Error): void => this.#fail(this.#lost("the control connection was cut", error));

  constructor(socket: Socket, terms: ControlTerms) {
    this.#socket = socket;
    this.#terms = terms;
    this.#listen(socket);
    socket.setNoDelay(true);
    // During a transfer nothing is said here: without it a NAT may forget a connection that lies still that long.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  /** TCP, or TLS once it is on. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Why it is of no use any longer. */
  get fault(): FtpError | undefined {
    return this.#fault;
  }

  get names(): Names {
    return this.#terms.names;
  }

  /** Whether the server has said something that nobody has asked for or read yet. */
  get hasNews(): boolean {
    return this.#replies.length > 0 || this.#parser.isPending;
  }

  /** Calls when the connection is lost. @returns what takes the listener away. */
  onLost(listener: () => void): () => void {
    if (this.#fault !== undefined) listener();
    else this.#onClosed.push(listener);
    return () => {
      const at = this.#onClosed.indexOf(listener);
      if (at >= 0) this.#onClosed.splice(at, 1);
    };
  }

  /**
   * Sends lines, in one write.
   * @throws {FtpError} UNSAFE_NAME for a line that would be two, PROTOCOL if the server spoke before it was asked.
   */
  write(...lines: readonly string[]): void {
    this.#check();
    let wire = "";
    for (const line of lines) wire += this.#wireOf(line);
    this.#lastCommand = shownCommand(lines[0] ?? "");
    for (const line of lines) this.#terms.watcher.command(shownCommand(line));
    this.#socket.write(wire, "latin1");
  }

  #wireOf(line: string): string {
    const octets = this.#terms.names.encode(line);
    if (/[\r\n\0]/.test(octets)) {
      const shown = shownCommand(line);
      throw new FtpError("UNSAFE_NAME", `a command holds a line end or NUL: ${shown}`, {
        phase: "command",
        command: shown,
        hint: "no FTP command can carry such a name",
      });
    }
    if (octets.length > ARGUMENT_MOST) {
      throw new FtpError(
        "UNSAFE_NAME",
        `a command has ${octets.length} octets, of which ${ARGUMENT_MOST} are allowed`,
        {
          phase: "command",
          command: `${shownCommand(line).slice(0, 60)}…`,
        },
      );
    }
    // Octet 255 begins a command of Telnet and is sent twice (RFC 959 §3.3, RFC 854).
    return `${octets.replaceAll("\xff", "\xff\xff")}\r\n`;
  }

  /** The next reply. @throws {FtpError}, or the signal's reason. */
  async reply({ phase = "command", ms = this.#terms.replyMs, signal }: ReplyWait = {}): Promise<FtpReply> {
    const command = this.#lastCommand;
    const late = (): { what: string; shownMs: number; phase: FtpPhase; command: string | undefined } => ({
      shownMs: ms,
      what: `the server sent no ${command === undefined ? "greeting" : `reply to ${command}`}`,
      phase,
      command,
    });
    // One limit for all of it: octets that end no reply do not begin it anew.
    const until = performance.now() + ms;
    while (this.#replies.length === 0) {
      this.#check();
      await called<void>((wake) => (this.#wake = wake), Math.max(until - performance.now(), 1), { signal, late });
    }
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error("a reply that was there is gone");
    this.#terms.watcher.reply(reply);
    return reply;
  }

  /** The next reply that is not preliminary. @throws {FtpError}, or the signal's reason. */
  async finalReply(wait: ReplyWait = {}): Promise<FtpReply> {
    for (let count = 0; count < PRELIMINARY_MOST; count += 1) {
      const reply = await this.reply(wait);
      if (reply.code >= 200) return reply;
    }
    throw new FtpError("PROTOCOL", `the server sent ${PRELIMINARY_MOST} preliminary replies and no other`, {
      phase: wait.phase ?? "command",
      command: this.#lastCommand,
    });
  }

  /** Before a command: nothing may be left of what came before it. @throws {FtpError} */
  settle(): void {
    this.#check();
    const [early] = this.#replies;
    if (early === undefined) return;
    this.#terms.watcher.reply(early);
    const isGoodbye = early.code === 421;
    this.#fail(
      new FtpError(
        isGoodbye ? "BUSY" : "PROTOCOL",
        isGoodbye
          ? `the server closed the session: ${early.code} ${printable(early.lines.join(" "))}`
          : `the server sent a reply that nobody had asked for: ${early.code}`,
        { phase: "command", reply: early, retryable: true },
      ),
    );
    this.#check();
  }

  /** Takes the socket for what another layer makes of it: TLS. What came in clear text after the reply is a fault. */
  async upgrade(make: (socket: Socket) => Promise<TLSSocket>): Promise<void> {
    this.#check();
    if (this.hasNews) {
      // Whoever sits between could have put replies before the TLS handshake.
      this.#fail(
        new FtpError("PROTOCOL", "the server sent more in clear text after it had agreed to TLS", { phase: "tls" }),
      );
      this.#check();
    }
    const bare = this.#socket;
    this.#unlisten(bare);
    try {
      this.#socket = await make(bare);
    } catch (error) {
      this.#fail(error instanceof FtpError ? error : this.#lost("the TLS handshake failed", error));
      throw error;
    }
    this.#parser = new ReplyParser();
    this.#listen(this.#socket);
  }

  /** Closes at once. */
  destroy(reason = "this connection was given up"): void {
    this.#fail(new FtpError("ABORTED", reason, { phase: "command", retryable: true }));
    this.#socket.destroy();
  }

  /** Closes after what was written. */
  end(): void {
    this.#fail(new FtpError("ABORTED", "this connection was closed", { phase: "command", retryable: true }), true);
  }

  #listen(socket: Socket): void {
    socket.on("data", this.#data);
    socket.on("end", this.#ended);
    socket.on("close", this.#ended);
    socket.on("error", this.#failed);
    socket.resume();
  }

  #unlisten(socket: Socket): void {
    socket.pause();
    socket.off("data", this.#data);
    socket.off("end", this.#ended);
    socket.off("close", this.#ended);
    socket.off("error", this.#failed);
  }

  #take(chunk: Buffer): void {
    for (const { code, lines } of this.#parser.push(chunk)) {
      this.#replies.push({ code, lines: lines.map((line) => this.#terms.names.decode(line)) });
    }
    if (this.#parser.fault !== undefined) {
      const isLong = this.#parser.fault === "too-long";
      const { what, hint } = strangerOf(bytesOf(chunk));
      this.#fail(
        new FtpError(
          isLong ? "LIMIT" : "PROTOCOL",
          isLong ? "the server's reply has no end" : `what the server sent is ${what}`,
          { phase: "command", command: this.#lastCommand, hint },
        ),
      );
    } else if (this.#replies.length > EARLY_REPLIES) {
      this.#fail(
        new FtpError("PROTOCOL", `the server sent ${this.#replies.length} replies that nobody had asked for`, {
          phase: "command",
        }),
      );
    }
    this.#wake?.();
  }

  #lost(message: string, cause?: unknown): FtpError {
    // A reply that says goodbye tells more than the close after it.
    const last = this.#replies.at(-1);
    const goodbye = last?.code === 421 ? `: 421 ${printable(last.lines.join(" "))}` : "";
    return new FtpError(goodbye === "" ? "RESET" : "BUSY", `${message}${goodbye}`, {
      phase: this.#lastCommand === undefined ? "greeting" : "command",
      command: this.#lastCommand,
      cause,
    });
  }

  /** What came before the fault is still read: a server may say why it closes. */
  #fail(fault: FtpError, softly = false): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    if (softly) this.#socket.end();
    else this.#socket.destroySoon();
    this.#socket.on("error", () => {});
    this.#wake?.();
    for (const listener of this.#onClosed.splice(0)) listener();
  }

  #check(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }
}

export type ReplyWait = {
  readonly phase?: FtpPhase | undefined;
  readonly ms?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Other protocols by how their servers begin. */
const STRANGERS: readonly (readonly [RegExp, string, string])[] = [
  [
    /^SSH-\d/,
    "SSH, not FTP",
    "this is a port of SSH; FTP is on port 21, and SFTP, which runs over SSH, is another protocol",
  ],
  [/^(?:HTTP\/\d|<!DOCTYPE|<html)/i, "HTTP, not FTP", "this is a web server; FTP is on port 21 mostly"],
  [/^(?:[+*] ?OK\b|\* )/i, "that of a mail server, not FTP", "FTP is on port 21 mostly"],
];

function strangerOf(octets: ByteString): { readonly what: string; readonly hint: string } {
  const [, what, hint] = STRANGERS.find(([begins]) => begins.test(octets)) ?? [];
  return { what: what ?? "no FTP reply", hint: hint ?? "is this the port of an FTP server?" };
}
