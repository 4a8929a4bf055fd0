/** The server that the shell talks to: opened, closed, opened anew with other options; its events told to people. */
import { withoutPassword } from "../../base/masked.ts";
import { type FtpReply, printable } from "../../client/errors.ts";
import type { Client, ClientEvents, ConnectOptions } from "../../client/types.ts";
import { ShellError } from "./errors.ts";
import { SLOTS_MOST } from "./limits.ts";
import type { Place } from "./place.ts";
import type { Settings } from "./settings.ts";

/** What a connector may need of a person. */
export type ConnectHelp = {
  /** @returns undefined where nobody can be asked, or there was no answer. */
  readonly ask: (user: string, host: string) => Promise<string | undefined>;
  readonly say: (line: string) => void;
};

/** A server, and the folder of it that was named: from its root with `/` at its front, else from the home. */
export type Connected = {
  readonly client: Client;
  readonly path: string;
  /** What `;type=` of the URL says; else files go as they went before. */
  readonly type?: "ascii" | "binary" | undefined;
  /** Of the host's entry in .netrc: `init` runs first of all. */
  readonly macros?: readonly Macro[] | undefined;
};

/** Lines under a name, as `macdef` writes them. */
export type Macro = { readonly name: string; readonly lines: readonly string[] };

/** A server in a slot, and where one was there. */
type Held = {
  readonly client: Client | undefined;
  readonly last: { readonly target: string; readonly options: ConnectOptions } | undefined;
  readonly place: Place;
};

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
  /** Those that wait, by the names of their slots. */
  readonly #held = new Map<string, Held>();
  #slot = "1";
  #client: Client | undefined;
  #last: Held["last"];

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

  /** What is sent after each login. */
  get commands(): readonly string[] | undefined {
    return this.#last?.options.commands;
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

  get slot(): string {
    return this.#slot;
  }

  /** Slots with the servers in them, the one in use among them. */
  get slots(): readonly { readonly name: string; readonly target: string | undefined }[] {
    const waiting = [...this.#held].map(([name, { last }]) => ({ name, target: last?.target }));
    return [{ name: this.#slot, target: this.#last?.target }, ...waiting]
      .map(({ name, target }) => ({ name, target: target === undefined ? undefined : withoutPassword(target) }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  /**
   * Puts the connection aside, and takes that of another slot; a slot that is not there is a new one, without a connection.
   * @param place where one is now. @returns where one was there. @throws {ShellError} when there are too many.
   */
  enterSlot(name: string, place: Place): Place | undefined {
    if (name === this.#slot) return place;
    const next = this.#held.get(name);
    if (next === undefined && this.#held.size + 1 >= SLOTS_MOST)
      throw new ShellError(`${SLOTS_MOST} slots are the most`);
    // One that nothing was opened in is none.
    if (this.#client !== undefined) this.#held.set(this.#slot, { client: this.#client, last: this.#last, place });
    this.#held.delete(name);
    this.#slot = name;
    this.#client = next?.client;
    this.#last = next?.last;
    return next?.place;
  }

  /** Those of all slots. */
  async closeAll(): Promise<void> {
    const waiting = [...this.#held.values()].map(async ({ client }) => await client?.close());
    this.#held.clear();
    await Promise.allSettled([...waiting, this.close()]);
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
        if (this.#settings.number("debug") >= 3) this.say(`${this.#mark(id)}> ${printable(line)}`);
      },
      reply: ({ id, reply }) => this.#sayReply(id, reply),
    };
  }

  #note(text: string): void {
    if (!this.#isQuiet) this.say(`note: ${text}`);
  }

  #sayReply(id: number, { code, lines }: FtpReply): void {
    const level = this.#settings.number("debug");
    if (level >= 3) for (const line of lines) this.say(`${this.#mark(id)}< ${code} ${printable(line)}`);
    else if (level === 2 || this.#settings.isOn("verbose") || (level === 1 && code >= 400))
      for (const line of lines) this.say(`${code} ${printable(line)}`);
  }

  /** Which connection, and from level 4 on when. */
  #mark(id: number): string {
    const time = this.#settings.number("debug") < 4 ? "" : `${new Date().toISOString().slice(11, 23)} `;
    return `${time}[${id}] `;
  }
}
