/** From a configuration to a server that serves, and what happens when it is to be read again. */
import { isIPv4 } from "node:net";
import { faultMessage } from "../base/fault-text.ts";
import { type Configuration, dashed } from "../config/sections.ts";
import { ControlSocketError } from "../control/control-server.ts";
import { type ActivatedSocket, notify } from "../jail/systemd.ts";
import { CredentialError } from "../net/tls/credential-fault.ts";
import type { Listener } from "../server/server.ts";
import { adoptSocket, bindSocket } from "../service/bound-sockets.ts";
import { Certificates } from "../service/certificates.ts";
import { CurrentLogin } from "../service/current-login.ts";
import { Guarding, GuardingError } from "../service/guarding.ts";
import { startMany } from "../service/many.ts";
import type { OpenListener, Service, ServiceParts } from "../service/service.ts";
import { startSingle } from "../service/single.ts";
import { stateFolderOf } from "../service/state-folder.ts";
import type { WaitingWorkers } from "../service/worker-process.ts";
import { type ServedAccounts, accountsOf } from "./accounts.ts";
import { CliError, EXIT } from "./exit.ts";
import { exposedFiles, homeNotes } from "./home-notes.ts";
import { type WantedAddress, listenError } from "./listen-address.ts";
import type { OpenLog } from "./open-log.ts";
import type { Plan } from "./privilege.ts";
import { servedFolder } from "./served-folder.ts";
import { rootsOf } from "./served-roots.ts";

export type Ingredients = {
  readonly configuration: Configuration;
  readonly addresses: readonly WantedAddress[];
  readonly activated: readonly ActivatedSocket[];
  readonly accounts: ServedAccounts;
  readonly plan: Plan;
  readonly waiting: WaitingWorkers | undefined;
  readonly log: OpenLog;
};

export type Running = AsyncDisposable & {
  readonly service: Service;
  readonly certificates: Certificates | undefined;
  /** Of each bound address: whether it is TLS from the start. */
  readonly implicit: readonly boolean[];
  readonly notes: readonly string[];
  /** SIGHUP. Never rejects: what cannot be read again is told, and the old stays in force. */
  reload(read: () => Promise<Configuration>): Promise<void>;
};

export async function startServing(ingredients: Ingredients): Promise<Running> {
  const { configuration, addresses, activated, accounts, plan, waiting, log } = ingredients;
  await using held = new AsyncDisposableStack();
  const notes: string[] = [];
  let started = false;
  const hasScreen = configuration.serve.log !== "json";
  const onEvent: ServiceParts["onEvent"] = (event) => {
    // Until the first screen is out, in one piece, what is odd is part of it.
    if (!started && hasScreen && event.type === "server.warning") notes.push(event.text);
    else log.hear(event);
  };
  const warn = (text: string): void => onEvent({ type: "server.warning", text, at: Date.now() });
  const stateFolder = stateFolderOf(configuration.serve.stateFolder);
  try {
    const listeners = openListeners(configuration, { addresses, activated });
    held.defer(() => listeners.forEach(({ socket }) => socket[Symbol.dispose]()));
    const guarding = held.use(await Guarding.open({ configuration, stateFolder, onEvent }));
    const onRenewed: { tell: () => void } = { tell: nothing };
    const certificates = needsTls(configuration, listeners)
      ? held.use(
          await Certificates.open({
            settings: configuration.tls,
            stateFolder,
            names: certificateNames(configuration, addresses),
            onChange: () => onRenewed.tell(),
            onWarning: warn,
          }),
        )
      : undefined;
    const login = new CurrentLogin(accounts);
    const parts = { configuration, listeners, guard: guarding.guard, login, certificates, onEvent };
    const { workers, user } = plan;
    const many =
      workers === 0 ? undefined : await startMany({ ...parts, workers, user, roots: rootsOf(accounts.homes), waiting });
    const service = many ?? (await startSingle(parts));
    if (many !== undefined) onRenewed.tell = () => many.renew();
    started = true;
    for (const { address, port } of service.bound) {
      if (!hasScreen) log.hear({ type: "server.listening", address, port, at: Date.now() });
    }
    // The screen has them else.
    if (!hasScreen) for (const text of accounts.warnings) warn(text);
    const kept = held.move();
    return {
      service,
      certificates,
      implicit: listeners.map(({ how }) => how.implicit),
      notes,
      reload: inTurn(async (read) => {
        notify({ kind: "reloading" });
        try {
          const fresh = await read();
          const known = await accountsOf(fresh, await servedFolder(fresh.serve.folder));
          await certificates?.reload();
          await service.reload({ configuration: fresh, roots: rootsOf(known.homes) });
          await guarding.reload(fresh);
          login.change(known);
          many?.changed();
          for (const text of oddities({ before: configuration, fresh, known, plan })) warn(text);
        } catch (error) {
          warn(`The configuration was not read again: ${faultMessage(error)}`);
        }
        notify({ kind: "ready" });
      }),
      [Symbol.asyncDispose]: async () => kept.disposeAsync(),
    };
  } catch (error) {
    throw startError(error);
  }
}

/** One after the other; of those that are asked for while one runs, one follows it. */
function inTurn<Argument>(run: (argument: Argument) => Promise<void>): (argument: Argument) => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  return async (argument) => {
    next ??= (async () => {
      await running;
      running = next;
      next = undefined;
      await run(argument);
    })();
    return next;
  };
}

/** What is settled at the start. */
const FIXED = {
  serve: ["listen", "workers", "workerUser", "stateFolder", "log", "xferlog"],
  tls: ["tls", "cert", "key", "certificates", "clientCa", "clientRevocations"],
} as const;

/** What a person who reloads should hear of. */
function oddities({ before, fresh, known, plan }: Reloaded): readonly string[] {
  const fixed = [
    ...FIXED.serve.filter((key) => String(before.serve[key]) !== String(fresh.serve[key])),
    ...FIXED.tls.filter((key) => String(before.tls[key]) !== String(fresh.tls[key])),
  ].map(dashed);
  const restart: string[] = fixed.length === 0 ? [] : [`A restart is needed before ${fixed.join(", ")} can change.`];
  if (plan.workers === 0 && JSON.stringify(before.server) !== JSON.stringify(fresh.server)) {
    restart.push("With --workers 0 a restart is needed before [server] can change.");
  }
  return [...restart, ...known.warnings, ...homeNotes(known.homes, plan), ...exposed(fresh, known)];
}

type Reloaded = {
  readonly before: Configuration;
  readonly fresh: Configuration;
  readonly known: ServedAccounts;
  readonly plan: Plan;
};

export function exposed(configuration: Configuration, { homes }: ServedAccounts): readonly string[] {
  return exposedFiles(configuration, { homes, stateFolder: stateFolderOf(configuration.serve.stateFolder) });
}

function nothing(): void {}

function startError(error: unknown): unknown {
  const isOurs =
    error instanceof CredentialError || error instanceof GuardingError || error instanceof ControlSocketError;
  return isOurs ? new CliError(error.message, EXIT.configuration) : listenError(error);
}

/** A service manager's sockets replace what is configured: it has opened what its own unit says. */
function openListeners(
  { tls: { tls } }: Configuration,
  { addresses, activated }: Pick<Ingredients, "addresses" | "activated">,
): readonly OpenListener[] {
  if (activated.length > 0) {
    return activated.map((socket) => ({
      socket: adoptSocket(socket),
      how: { implicit: /ftps|implicit/i.test(socket.name), tls },
    }));
  }
  const opened: OpenListener[] = [];
  try {
    for (const wanted of addresses) {
      const how: Listener = { implicit: wanted.implicit, tls: wanted.tls ?? tls };
      opened.push({ socket: bindSocket(wanted, { ipv6Only: hasIPv4Twin(wanted, addresses) }), how });
    }
  } catch (error) {
    for (const { socket } of opened) socket[Symbol.dispose]();
    throw error;
  }
  return opened;
}

/** `::` takes IPv4 too, unless somebody else is to have that port. */
function hasIPv4Twin({ port }: WantedAddress, all: readonly WantedAddress[]): boolean {
  return port !== 0 && all.some((other) => other.port === port && isIPv4(other.address));
}

function needsTls({ tls }: Configuration, listeners: readonly OpenListener[]): boolean {
  const wanted = listeners.some(({ how }) => how.implicit || how.tls !== "off");
  if (!wanted && tls.cert !== undefined) {
    throw new CliError("a certificate is configured, and TLS is off: --tls allow offers it", EXIT.configuration);
  }
  return wanted;
}

function certificateNames({ server }: Configuration, addresses: readonly WantedAddress[]): readonly string[] {
  const own = addresses.map(({ address }) => address).filter((address) => address !== "0.0.0.0" && address !== "::");
  return [...own, ...server.hosts, ...(server.advertise === undefined ? [] : [server.advertise])];
}
