/** One control connection of the liar: hears lines, answers as a good server does, and bends what it was told to bend. */
import { type Socket, isIPv4 } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { format227, format229, parseEprt, parsePort } from "../../src/protocol/host-port.ts";
import { ANSWERS, type Dialogue, FEATURES, MISSING, TLS_FEATURES } from "./liar-commands.ts";
import { type DataPlan, type SilentPort, type Trap, activePlan, closedPort, openPort } from "./liar-data.ts";
import type { LiarContexts } from "./liar-tls.ts";
import { USUAL_STEPS, type DataStream, carryOut } from "./liar-transfer.ts";
import { type Tree, childrenOf, factsLine, longLine, resolve } from "./liar-tree.ts";
import { type Break, LiarWire, type WireCounts } from "./liar-wire.ts";
import type { Heard, Lie, Lies } from "./lies.ts";

/** What all sessions of a liar share. */
export type LiarGround = {
  readonly lies: Lies;
  readonly tree: Tree;
  readonly tls: { readonly contexts: LiarContexts; readonly isImplicit: boolean } | undefined;
  readonly trap: Trap;
  silent(): Promise<SilentPort>;
  note(heard: Heard): void;
  /** Counts a data connection until it has closed. */
  track(wire: LiarWire): void;
  /** The break of the next connection, if it is to have one. */
  nextBreak(of: "breakControl" | "breakData"): Break | undefined;
  /** The lie about a reply, which is used up thereby. */
  lieAbout(heard: Heard, place: { readonly key: string; readonly reply: string }): Lie;
};

/** Octets that an endless reply sends at once. */
const ENDLESS_PIECE = 4_096;
const UPLOADS: ReadonlySet<string> = new Set(["STOR", "APPE", "STOU"]);
const DOWNLOADS: ReadonlySet<string> = new Set(["RETR", "LIST", "NLST", "MLSD"]);
/** What Telnet puts before an ABOR: IAC IP, IAC DM (RFC 959 §4.1.3). */
const TELNET_SIGNS = /[\xf0-\xff]/g;

export class LiarSession {
  readonly #id: number;
  readonly #ground: LiarGround;
  readonly #wire: LiarWire;
  readonly #dialogue: Dialogue;
  readonly #gone = Promise.withResolvers<void>();
  #stream: Duplex;
  #input = "";
  readonly #lines: string[] = [];
  #wake = (): void => {};
  #hasEnded = false;
  #isMute = false;
  #plan: DataPlan | undefined;
  #transfer: AbortController | undefined;
  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => this.#takeEnd();

  constructor(socket: Socket, { id, ground }: { id: number; ground: LiarGround }) {
    const { lies, tree, tls } = ground;
    this.#id = id;
    this.#ground = ground;
    this.#wire = new LiarWire(socket, { break: ground.nextBreak("breakControl"), split: lies.split });
    this.#stream = this.#wire;
    const usual = tls === undefined ? FEATURES : [...FEATURES, ...TLS_FEATURES];
    const features = lies.features === undefined ? usual : lies.features;
    this.#dialogue = { tree, features, folder: "/", restart: 0, renameFrom: undefined, isPrivate: false };
    this.#wire.on("close", this.#onEnd);
    this.#wire.on("broken", this.#onEnd);
  }

  /** Octets as TCP carried them. */
  get counts(): WireCounts {
    return this.#wire.counts;
  }

  break(how: "reset" | "fin"): void {
    this.#wire.break(how);
  }

  /** Octets that nobody asked for. */
  async say(octets: string): Promise<void> {
    await this.#write(octets);
  }

  /** To the end of the connection. */
  async serve(): Promise<void> {
    try {
      const { tls } = this.#ground;
      if (tls?.isImplicit === true) await this.#secure();
      this.#listen(this.#stream);
      await this.#reply(this.#heard(""), { key: "greeting", reply: "220 Ready.\r\n" });
      while (!this.#hasEnded) {
        const line = await this.#next();
        if (line !== undefined) await this.#obey(this.#heard(line));
      }
    } catch {
      // A client that breaks off a handshake is no fault of the liar.
    } finally {
      this.#plan?.giveUp();
      this.#takeEnd();
      if (!this.#stream.destroyed) this.#stream.end();
      // Nobody reads any more, and an unread socket would never close.
      this.#wire.resume();
      this.#ground.trap.close();
    }
  }

  #listen(stream: Duplex): void {
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
    stream.on("close", this.#onEnd);
  }

  #take(chunk: Buffer): void {
    this.#input += chunk.toString("latin1");
    for (let end = this.#input.indexOf("\n"); end !== -1; end = this.#input.indexOf("\n")) {
      const line = this.#input.slice(0, end).replace(/\r$/, "");
      this.#input = this.#input.slice(end + 1);
      this.#lines.push(line);
      const { verb } = this.#heard(line);
      if (verb === "ABOR") this.#transfer?.abort();
      this.#ground.note(this.#heard(line));
    }
    this.#wake();
  }

  #takeEnd(): void {
    this.#hasEnded = true;
    this.#transfer?.abort();
    this.#plan?.giveUp();
    this.#gone.resolve();
    this.#wake();
  }

  #heard(line: string): Heard {
    const [, verb = "", argument = ""] = /^([A-Za-z]*) ?(.*)$/s.exec(line.replace(TELNET_SIGNS, "")) ?? [];
    return { session: this.#id, line, verb: verb.toUpperCase(), argument };
  }

  async #next(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#hasEnded) {
      const { promise, resolve: wake } = Promise.withResolvers<void>();
      this.#wake = wake;
      await promise;
    }
    return this.#lines.shift();
  }

  async #obey(heard: Heard): Promise<void> {
    const { verb } = heard;
    if (UPLOADS.has(verb) || DOWNLOADS.has(verb)) return this.#carryOut(heard);
    const reply = await this.#answer(heard);
    await this.#reply(heard, { key: verb, reply: `${reply}\r\n` });
    if (verb === "AUTH" && this.#ground.tls !== undefined) await this.#upgrade();
    if (verb === "QUIT") this.#takeEnd();
  }

  async #answer({ verb, argument }: Heard): Promise<string> {
    const passive = verb === "EPSV" || verb === "PASV";
    if (passive) return this.#passive(verb);
    if (verb === "EPRT" || verb === "PORT") return this.#active(verb, argument);
    if (verb === "QUIT") return "221 Goodbye.";
    if (verb === "AUTH") return this.#ground.tls === undefined ? "502 There is no TLS here." : "234 TLS starts now.";
    return ANSWERS[verb]?.(this.#dialogue, argument) ?? "500 Unknown command.";
  }

  async #passive(verb: "EPSV" | "PASV"): Promise<string> {
    this.#plan?.giveUp();
    const { passivePort = "open", passiveAddress } = this.#ground.lies;
    const host = this.#wire.socket.localAddress?.replace(/^::ffff:/, "") ?? "127.0.0.1";
    if (passivePort === "open") this.#plan = await openPort(host);
    else this.#plan = passivePort === "silent" ? (await this.#ground.silent()).plan() : await closedPort();
    const port = this.#plan.port ?? 0;
    if (verb === "EPSV") return `229 ${format229(port)}`;
    if (!isIPv4(host)) return "425 Use EPSV over IPv6.";
    if (passiveAddress !== undefined) await this.#ground.trap.listen(passiveAddress, port);
    return `227 ${format227({ family: "IPv4", address: passiveAddress ?? host, port })}`;
  }

  #active(verb: "EPRT" | "PORT", argument: string): string {
    this.#plan?.giveUp();
    const eprt = verb === "EPRT" ? parseEprt(argument) : undefined;
    const place = eprt?.kind === "address" ? eprt.hostPort : parsePort(argument);
    if (place === undefined) return "501 Bad argument.";
    this.#plan = activePlan(place.address, place.port);
    return "200 Done.";
  }

  async #carryOut(heard: Heard): Promise<void> {
    const { verb } = heard;
    const content = this.#contentOf(heard);
    const plan = this.#plan;
    this.#plan = undefined;
    const refusal = content === null ? MISSING : plan === undefined ? "425 Use EPSV first." : undefined;
    if (refusal !== undefined || content === null || plan === undefined) {
      plan?.giveUp();
      return this.#reply(heard, { key: verb, reply: `${refusal}\r\n` });
    }
    const transfer = new AbortController();
    this.#transfer = transfer;
    transfer.signal.addEventListener("abort", () => plan.giveUp());
    await carryOut(this.#ground.lies.steps?.[verb] ?? USUAL_STEPS, {
      reply: async (which, text) =>
        this.#reply(heard, { key: which === "opening" ? verb : `${verb} end`, reply: `${text}\r\n` }),
      connect: async () => this.#connect(plan, transfer.signal),
      content,
      received: (octets) => this.#store(heard, octets),
      over: transfer.signal,
      gone: this.#gone.promise,
    });
    plan.giveUp();
    this.#transfer = undefined;
    this.#dialogue.restart = 0;
  }

  /** null: there is none; undefined: it is an upload. */
  #contentOf({ verb, argument }: Heard): (() => Iterable<Buffer>) | null | undefined {
    const { lies, tree } = this.#ground;
    if (UPLOADS.has(verb)) return undefined;
    const own = lies.content?.[verb];
    if (own !== undefined) return own;
    const path = resolve(this.#dialogue.folder, verb === "RETR" ? argument : argument.replace(/^-\S+ ?/, ""));
    const file = tree.get(path);
    if (file === undefined || (verb === "RETR" && file === null)) return null;
    const { restart } = this.#dialogue;
    if (verb === "RETR") return () => [(file ?? Buffer.alloc(0)).subarray(restart)];
    const lineOf = verb === "MLSD" ? factsLine : verb === "LIST" ? longLine : (name: string): string => name;
    const lines = childrenOf(tree, path).map(([name, each]) => `${lineOf(name, each)}\r\n`);
    return () => [Buffer.from(lines.join(""), "latin1")];
  }

  #store({ verb, argument }: Heard, octets: Buffer): void {
    const { tree } = this.#ground;
    const path = resolve(this.#dialogue.folder, argument);
    const before = tree.get(path) ?? Buffer.alloc(0);
    const kept = verb === "APPE" ? before : before.subarray(0, this.#dialogue.restart);
    tree.set(path, Buffer.concat([kept, octets]));
  }

  async #connect(plan: DataPlan, over: AbortSignal): Promise<DataStream> {
    const { lies, tls } = this.#ground;
    const socket = await plan.connection();
    const wire = new LiarWire(socket, { break: this.#ground.nextBreak("breakData"), split: lies.splitData });
    this.#ground.track(wire);
    over.addEventListener("abort", () => wire.break("fin"));
    if (tls === undefined || !this.#dialogue.isPrivate) return { wire, stream: wire };
    const stream = await tls.contexts.secureData(wire);
    if (lies.mustResume !== true || stream.isSessionReused()) return { wire, stream };
    stream.end();
    throw new Error("the session was not resumed");
  }

  async #upgrade(): Promise<void> {
    if (this.#hasEnded) return;
    this.#wire.off("data", this.#onData);
    this.#wire.off("end", this.#onEnd);
    await this.#secure();
    this.#listen(this.#stream);
  }

  async #secure(): Promise<void> {
    const stream = await this.#ground.tls?.contexts.secureControl(this.#wire);
    if (stream !== undefined) this.#stream = stream;
  }

  async #reply(heard: Heard, place: { readonly key: string; readonly reply: string }): Promise<void> {
    const lie = this.#ground.lieAbout(heard, place);
    const { reply } = place;
    if (lie === "truth") await this.#write(reply);
    else if ("say" in lie) {
      await this.#write(lie.say);
      if (lie.end !== undefined) this.#end(lie.end);
    } else if ("before" in lie) await this.#write(`${lie.before}${reply}`);
    else if ("after" in lie) await this.#write(`${reply}${lie.after}`);
    else if ("endless" in lie) await this.#writeEndlessly(lie);
    else if ("end" in lie) this.#end(lie.end);
    else {
      await Promise.race([delay(lie.waitMs, undefined, { ref: false }), this.#gone.promise]);
      await this.#write(lie.late ?? reply);
    }
  }

  #end(how: "reset" | "fin" | "half"): void {
    if (how !== "half") return this.#wire.break(how);
    this.#stream.end();
    this.#isMute = true;
  }

  async #writeEndlessly({ endless, first = "" }: { endless: string; first?: string }): Promise<void> {
    await this.#write(first);
    const piece = endless.repeat(Math.ceil(ENDLESS_PIECE / endless.length));
    while (!this.#hasEnded && !this.#stream.destroyed) await this.#write(piece);
  }

  async #write(octets: string): Promise<void> {
    if (octets === "" || this.#isMute || this.#stream.destroyed) return;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.#stream.write(Buffer.from(octets, "latin1"), () => done());
    await Promise.race([promise, this.#gone.promise]);
  }
}
