/** The server that the shell talks to: opened, closed, opened anew with other options; its events told to people. */
import { type FtpReply, printable, shownReply } from "../../client/errors.ts";
import type { Client, ConnectOptions } from "../../client/types.ts";
import { ShellError } from "./errors.ts";
import type { Settings } from "./settings.ts";

export type Connect = (url: string, options: ConnectOptions) => Promise<Client>;

export class Connection {
  /** A line for people. */
  say: (line: string) => void = () => {};
  readonly #connect: Connect | undefined;
  readonly #settings: Settings;
  readonly #base: ConnectOptions;
  #client: Client | undefined;
  #last: { readonly url: string; readonly options: ConnectOptions } | undefined;

  constructor(connect: Connect | undefined, { settings, base }: { readonly settings: Settings; readonly base: ConnectOptions }) {
    this.#connect = connect;
    this.#settings = settings;
    this.#base = base;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  /** Without its password; undefined before the first. */
  get url(): string | undefined {
    return this.#last === undefined ? undefined : withoutPassword(this.#last.url);
  }

  /** @throws {ShellError} without a connection. */
  current(): Client {
    if (this.#client !== undefined) return this.#client;
    throw new ShellError("there is no connection: open HOST or open URL makes one");
  }

  /** The one before stays until this one is there. @throws {FtpError} */
  async open(url: string, options: ConnectOptions): Promise<Client> {
    if (this.#connect === undefined) throw new ShellError("this shell has one connection, and cannot open others");
    const opened = await this.#connect(url, { ...this.#base, ...this.#chosen(), ...options });
    await this.close();
    this.#last = { url, options: { ...options, signal: undefined } };
    this.adopt(opened);
    return opened;
  }

  /** Takes a connection that somebody else has made. */
  adopt(client: Client): void {
    this.#client = client;
    client.on("fallback", ({ what }) => this.say(`note: ${printable(what)}`));
    client.on("trust", ({ host, fingerprint }) => {
      this.say(`note: the certificate of ${printable(host)} is new and is believed from now on; SHA-256 ${fingerprint}`);
    });
    client.on("retry", ({ error, attempt, waitMs }) => {
      this.say(`note: ${printable(error.message)}; try ${attempt + 1} in ${(waitMs / 1_000).toFixed(1)} s`);
    });
    client.on("command", ({ id, line }) => {
      if (this.#settings.isOn("debug")) this.say(`[${id}] ---> ${printable(line)}`);
    });
    client.on("reply", ({ id, reply }) => this.#sayReply(id, reply));
  }

  /** The same server, user and password with the settings of now. @throws {FtpError} */
  async reopen(options: ConnectOptions): Promise<Client | undefined> {
    if (this.#last === undefined) {
      if (this.#client === undefined) return undefined;
      throw new ShellError("this connection was made elsewhere: it keeps what it was opened with");
    }
    return await this.open(this.#last.url, { ...this.#last.options, ...options });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  #chosen(): ConnectOptions {
    const [charset, proxy] = [this.#settings.get("charset"), this.#settings.get("proxy")];
    const modes = this.#settings.modes();
    return {
      ...(charset === "auto" ? {} : { charset }),
      ...(proxy === "off" ? {} : { proxy }),
      ...(modes === undefined ? {} : { data: { ...this.#base.data, modes } }),
      ...(this.#settings.isChosen("connections") ? { connections: this.#settings.number("connections") } : {}),
    };
  }

  #sayReply(id: number, reply: FtpReply): void {
    if (this.#settings.isOn("debug")) this.say(`[${id}] <--- ${shownReply(reply)}`);
    else if (this.#settings.isOn("verbose")) this.say(shownReply(reply));
  }
}

/** `ftp://ann:secret@host/` without the secret. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:\/\/[^/@:]*):[^/]*@/i, "$1@");
}
