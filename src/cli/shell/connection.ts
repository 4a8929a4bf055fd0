/** The server that the shell talks to: opened, closed, opened anew with other options; its events told to people. */
import { type FtpReply, printable } from "../../client/errors.ts";
import type { Client, ClientEvents, ConnectOptions } from "../../client/types.ts";
import { ShellError } from "./errors.ts";
import type { Settings } from "./settings.ts";

/** What a connector may need of a person. */
export type ConnectHelp = {
  /** @returns undefined where nobody can be asked, or there was no answer. */
  readonly ask: (user: string, host: string) => Promise<string | undefined>;
  readonly say: (line: string) => void;
};

/** A server, and the folder of it that was named: from its root with `/` at its front, else from the home. */
export type Connected = { readonly client: Client; readonly path: string };

/**
 * Makes a connection. The events in `options.on` are heard from the first on.
 * @param target a URL, a host, or a name that stands for one.
 * @throws {FtpError}, or the signal's reason.
 */
export type Connect = (target: string, options: ConnectOptions, help: ConnectHelp) => Promise<Connected>;

export type ConnectionTerms = {
  readonly settings: Settings;
  /** For every connection. */
  readonly base: ConnectOptions;
  /** No notes. */
  readonly isQuiet?: boolean | undefined;
};

export class Connection {
  /** A line for people. */
  say: (line: string) => void = () => {};
  /** Asks for a password. */
  ask: ConnectHelp["ask"] = async () => undefined;
  readonly #connect: Connect | undefined;
  readonly #settings: Settings;
  readonly #base: ConnectOptions;
  readonly #isQuiet: boolean;
  /** What was typed, for connections that are made anew; never written anywhere. */
  readonly #answers = new Map<string, string>();
  #client: Client | undefined;
  #last: { readonly target: string; readonly options: ConnectOptions } | undefined;

  constructor(connect: Connect | undefined, { settings, base, isQuiet = false }: ConnectionTerms) {
    this.#connect = connect;
    this.#settings = settings;
    this.#base = base;
    this.#isQuiet = isQuiet;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  /** Without its password; undefined before the first. */
  get target(): string | undefined {
    return this.#last === undefined ? undefined : withoutPassword(this.#last.target);
  }

  /** @throws {ShellError} without a connection. */
  current(): Client {
    if (this.#client !== undefined) return this.#client;
    throw new ShellError("there is no connection: open HOST or open URL makes one");
  }

  /** The one before stays until this one is there. @throws {FtpError} */
  async open(target: string, options: ConnectOptions): Promise<Connected> {
    if (this.#connect === undefined) throw new ShellError("this shell has one connection, and cannot open others");
    const whole = { ...this.#base, ...this.#chosen(), ...options, on: this.#listeners() };
    const connected = await this.#connect(target, whole, {
      ask: async (user, host) => await this.#answer(user, host),
      say: (line) => this.say(line),
    }).catch((error: unknown) => {
      // A password that was wrong is asked for again.
      this.#answers.clear();
      throw error;
    });
    await this.close();
    this.#last = { target, options: { ...options, signal: undefined } };
    this.#client = connected.client;
    return connected;
  }

  /** Takes a connection that somebody else has made. */
  adopt(client: Client): void {
    this.#client = client;
    const { fallback, trust, retry, command, reply } = this.#listeners();
    client.on("fallback", fallback);
    client.on("trust", trust);
    client.on("retry", retry);
    client.on("command", command);
    client.on("reply", reply);
  }

  /** The same server, user and password with the settings of now. @throws {FtpError} */
  async reopen(options: ConnectOptions): Promise<Client | undefined> {
    if (this.#last === undefined) {
      if (this.#client === undefined) return undefined;
      throw new ShellError("this connection was made elsewhere: it keeps what it was opened with");
    }
    return (await this.open(this.#last.target, { ...this.#last.options, ...options })).client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  async #answer(user: string, host: string): Promise<string | undefined> {
    const known = this.#answers.get(`${user}@${host}`);
    if (known !== undefined) return known;
    const answer = await this.ask(user, host);
    if (answer !== undefined) this.#answers.set(`${user}@${host}`, answer);
    return answer;
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

  #listeners(): { readonly [K in keyof ClientEvents]: (detail: ClientEvents[K]) => void } {
    return {
      fallback: ({ what }) => this.#note(printable(what)),
      trust: ({ host, fingerprint }) => {
        this.#note(`the certificate of ${printable(host)} is new and believed from now on: SHA-256 ${fingerprint}`);
      },
      retry: ({ error, attempt, waitMs }) => {
        this.#note(`${printable(error.message)}; try ${attempt + 1} in ${(waitMs / 1_000).toFixed(1)} s`);
      },
      command: ({ id, line }) => {
        if (this.#settings.isOn("debug")) this.say(`[${id}] > ${printable(line)}`);
      },
      reply: ({ id, reply }) => this.#sayReply(id, reply),
    };
  }

  #note(text: string): void {
    if (!this.#isQuiet) this.say(`note: ${text}`);
  }

  #sayReply(id: number, { code, lines }: FtpReply): void {
    const isDebug = this.#settings.isOn("debug");
    if (!isDebug && !this.#settings.isOn("verbose")) return;
    for (const line of lines) this.say(`${isDebug ? `[${id}] < ` : ""}${code} ${printable(line)}`);
  }
}

/** `ftp://ann:secret@host/` without the secret. */
function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z\d+.-]*:\/\/[^/@:]*):[^/]*@/i, "$1@");
}
