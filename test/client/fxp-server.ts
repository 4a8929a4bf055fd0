/**
 * A server of copies over TLS that knows SSCN and CPSV, if a test wants it, and really speaks TLS to the other server:
 * as its client when it was told to be, else as its server.
 */
import { once } from "node:events";
import { type Socket, connect as dial, createServer } from "node:net";
import { TLSSocket, connect as beginTls, createSecureContext, createServer as createTlsServer } from "node:tls";
import { parsePort } from "../../src/protocol/host-port.ts";
import { held, listening } from "../support/ports.ts";
import { pairFor } from "../support/tls.ts";

const { key, cert } = pairFor("127.0.0.1");

export type FxpTerms = {
  readonly features: readonly string[];
  /** By name; what is stored joins them. */
  readonly files: Map<string, Buffer>;
  /** Says yes to everything and then nothing at all. */
  readonly isSilent?: boolean;
  /** What its 227 names in place of its address. */
  readonly named?: string;
};

export type FxpServer = AsyncDisposable & { readonly port: number; readonly commands: readonly string[] };

export async function fxpServer(terms: FxpTerms): Promise<FxpServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createTlsServer({ key, cert }, (control) => {
    sockets.add(control);
    control.on("error", () => {});
    new Conversation(control, { ...terms, commands, sockets }).begin();
  });
  return { commands, ...(await held(server, sockets)) };
}

const SIMPLE: Readonly<Record<string, string>> = {
  PWD: '257 "/" is it.',
  MDTM: "502 No.",
  MFMT: "502 No.",
  DELE: "502 No.",
};

type Shared = FxpTerms & { readonly commands: string[]; readonly sockets: Set<Socket> };

class Conversation {
  readonly #control: Socket;
  readonly #shared: Shared;
  #open: (() => Promise<Socket>) | undefined;
  #isClient = false;
  #isSwitched = false;

  constructor(control: Socket, shared: Shared) {
    this.#control = control;
    this.#shared = shared;
  }

  begin(): void {
    let [text, last] = ["", Promise.resolve()];
    this.#control.on("data", (chunk: Buffer) => {
      const lines = (text + chunk.toString("latin1")).split("\r\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        this.#shared.commands.push(line);
        last = last.then(async () => this.#say(await this.#answer(line)));
      }
    });
    this.#say("220 Odd.");
  }

  #say(line: string | undefined): void {
    if (line !== undefined && !this.#control.destroyed) this.#control.write(`${line}\r\n`);
  }

  async #answer(line: string): Promise<string | undefined> {
    const { files, features, isSilent } = this.#shared;
    const [verb = "", name = ""] = line.split(" ");
    const simple = SIMPLE[verb];
    if (simple !== undefined) return simple;
    if (verb === "FEAT") return ["211-Here:", ...features.map((feature) => ` ${feature}`), "211 End"].join("\r\n");
    if (verb === "SIZE") return files.has(name) ? `213 ${files.get(name)?.length}` : "550 No.";
    if (verb !== "RETR" && verb !== "STOR") return await this.#route(verb, name);
    return isSilent === true ? undefined : await this.#transfer(verb, name);
  }

  async #route(verb: string, argument: string): Promise<string> {
    if (verb === "PORT") return this.#plan(argument);
    if (verb === "SSCN") this.#isSwitched = argument === "ON";
    if (verb !== "PASV" && verb !== "CPSV") return "200 Yes.";
    this.#isClient = verb === "CPSV" || this.#isSwitched;
    return await this.#listen();
  }

  async #listen(): Promise<string> {
    const server = createServer();
    this.#control.once("close", () => server.close());
    const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
    this.#open = async () => await accepted.finally(() => server.close());
    const port = await listening(server);
    return `227 Here (${this.#shared.named ?? "127,0,0,1"},${port >> 8},${port & 255}).`;
  }

  #plan(argument: string): string {
    const to = parsePort(argument);
    if (to === undefined) return "501 What?";
    this.#isClient = this.#isSwitched;
    this.#open = async () => dial({ host: to.address, port: to.port });
    return "200 Yes.";
  }

  async #transfer(verb: string, name: string): Promise<string> {
    const { files, sockets } = this.#shared;
    const raw = await this.#open?.();
    if (raw === undefined) return "425 No.";
    sockets.add(raw);
    raw.on("error", () => {});
    this.#say("150 Now.");
    const data = this.#isClient
      ? beginTls({ socket: raw, rejectUnauthorized: false })
      : new TLSSocket(raw, { isServer: true, secureContext: createSecureContext({ key, cert }) });
    data.on("error", () => {});
    if (verb === "RETR") {
      data.end(files.get(name) ?? "");
      data.resume();
      await once(data, "close");
      return "226 Sent.";
    }
    const chunks: Buffer[] = [];
    data.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(data, "end");
    data.end();
    files.set(name, Buffer.concat(chunks));
    return "226 Stored.";
  }
}
