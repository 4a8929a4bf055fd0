/** The guard of a running server: with its files of rules and of bans, its clock, and the socket that commands reach it by. */
import type { Configuration } from "../config/sections.ts";
import { banHandlers } from "../control/ban-requests.ts";
import { ControlServer, ControlSocketError } from "../control/control-server.ts";
import { standardSocket, surroundings } from "../control/socket-path.ts";
import { faultMessage } from "../base/fault-text.ts";
import { BanFile } from "../guard/ban-file.ts";
import { Guard } from "../guard/guard.ts";
import { readHostsAccess } from "../guard/hosts-files.ts";
import type { FerrymanEvent } from "../workspace/events.ts";

/** Milliseconds between two looks at what is over. */
const EXPIRE_MS = 60_000;

export type GuardingTerms = {
  readonly configuration: Configuration;
  readonly stateFolder: string;
  readonly onEvent: (event: FerrymanEvent) => void;
};

/** The rules cannot be read: nobody is let in by rules that are not there. */
export class GuardingError extends Error {
  override readonly name = "GuardingError";
}

export class Guarding implements AsyncDisposable {
  readonly guard: Guard;
  readonly #terms: GuardingTerms;
  readonly #file: BanFile;
  readonly #control: ControlServer | undefined;
  readonly #timer: NodeJS.Timeout;

  /** @throws {GuardingError} @throws {ControlSocketError} when a socket was named and cannot be had. */
  static async open(terms: GuardingTerms): Promise<Guarding> {
    const { limits, bans } = terms.configuration;
    const hosts = await hostsOf(terms);
    const guard = new Guard({ limits, bans, hosts });
    const file = new BanFile(terms.stateFolder);
    const { state, warnings } = await file.load().catch((error: unknown) => {
      // Without its bans the server would let in whom it has shut out.
      throw new GuardingError(
        `${file.path}: cannot be read (${faultMessage(error)}). Give its user the right to, or name another folder with --state-folder`,
      );
    });
    for (const warning of warnings) warn(terms, warning);
    guard.restore(state);
    return new Guarding(terms, { guard, file, control: await openControl(guard, terms) });
  }

  private constructor(
    terms: GuardingTerms,
    parts: { readonly guard: Guard; readonly file: BanFile; readonly control: ControlServer | undefined },
  ) {
    this.#terms = terms;
    this.guard = parts.guard;
    this.#file = parts.file;
    this.#control = parts.control;
    this.guard.events.subscribe((event) => {
      const { ban } = event;
      const at = Date.now();
      if (event.type === "lift") terms.onEvent({ type: "ban.lifted", target: ban.target, why: event.why, at });
      else {
        const until = ban.until === undefined ? {} : { until: ban.until };
        terms.onEvent({ type: "ban", target: ban.target, reason: ban.reason, ...until, at });
      }
      this.#save();
    });
    this.#timer = setInterval(() => {
      this.guard.expire();
      this.#save();
    }, EXPIRE_MS);
    this.#timer.unref();
  }

  /** SIGHUP. Rules that cannot be read leave the old ones in force. */
  async reload({ limits, bans }: Configuration): Promise<void> {
    try {
      const hosts = await hostsOf({ ...this.#terms, configuration: { ...this.#terms.configuration, bans } });
      this.guard.reconfigure({ limits, bans, hosts });
    } catch (error) {
      warn(this.#terms, `${faultMessage(error)} The old limits and bans stay in force.`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#control?.[Symbol.asyncDispose]();
    await this.#file.save(this.guard.state()).catch(() => {});
  }

  #save(): void {
    this.#file.save(this.guard.state()).catch((error: unknown) => {
      warn(this.#terms, `${this.#file.path}: bans cannot be kept: ${faultMessage(error)}`);
    });
  }
}

function warn({ onEvent }: GuardingTerms, text: string): void {
  onEvent({ type: "server.warning", text, at: Date.now() });
}

async function hostsOf(terms: GuardingTerms): Promise<HostsOf> {
  const { hostsAllow, hostsDeny } = terms.configuration.bans;
  const { hosts, warnings, errors } = await readHostsAccess({ allow: hostsAllow, deny: hostsDeny });
  for (const warning of warnings) warn(terms, warning);
  if (errors.length > 0) throw new GuardingError(errors.join("\n  "));
  return hosts;
}

type HostsOf = Awaited<ReturnType<typeof readHostsAccess>>["hosts"];

async function openControl(guard: Guard, terms: GuardingTerms): Promise<ControlServer | undefined> {
  const { controlSocket } = terms.configuration.control;
  if (controlSocket === "off") return undefined;
  const server = new ControlServer({
    path: controlSocket ?? standardSocket(surroundings()),
    handlers: banHandlers(guard),
    onFault: (fault) => warn(terms, `control socket: ${faultMessage(fault)}`),
  });
  try {
    await server.listen();
    return server;
  } catch (error) {
    // Two servers of one user are nothing wrong; only one of them can have the usual place.
    if (!(error instanceof ControlSocketError) || controlSocket !== undefined) throw error;
    warn(terms, `ferryman ban cannot reach this server: ${error.message}`);
    return undefined;
  }
}
