/** `ferryman serve`: from flags, file and environment to a server that runs until somebody stops it. */
import { isIPv4 } from "node:net";
import { closeSync, fstatSync, writeSync } from "node:fs";
import { Command } from "commander";
import { flushCompileCache } from "node:module";
import { faultMessage } from "../base/fault-text.ts";
import { ConfigurationError, loadConfiguration } from "../config/configuration.ts";
import { type Configuration, dashed } from "../config/sections.ts";
import { ControlSocketError } from "../control/control-server.ts";
import { type ActivatedSocket, activatedSockets, notify, startWatchdog } from "../jail/systemd.ts";
import { CredentialError } from "../net/tls/credential-fault.ts";
import type { Listener } from "../server/server.ts";
import { adoptSocket, bindSocket } from "../service/bound-sockets.ts";
import { CurrentLogin } from "../service/current-login.ts";
import { Certificates } from "../service/certificates.ts";
import { Guarding, GuardingError } from "../service/guarding.ts";
import { startMany } from "../service/many.ts";
import type { OpenListener, Service, ServiceParts } from "../service/service.ts";
import { startSingle } from "../service/single.ts";
import { stateFolderOf } from "../service/state-folder.ts";
import { passedOn, servedPorts } from "./broker-powers.ts";
import { type ServedAccounts, accountsOf } from "./accounts.ts";
import { CliError, EXIT } from "./exit.ts";
import { exposedFiles, homeNotes } from "./home-notes.ts";
import {
  type BoundAddress,
  type WantedAddress,
  hasAddress,
  isLoopback,
  listenError,
  parseListenAddress,
  resolveAddresses,
} from "./listen-address.ts";
import { type OpenLog, openLog } from "./open-log.ts";
import { dataPathNotes } from "./data-path.ts";
import { type Plan, dropPowers, planProcesses } from "./privilege.ts";
import { type ServeFlags, readyDescriptor, serveFlags } from "./serve-flags.ts";
import { servedFolder } from "./served-folder.ts";
import { rootsOf } from "./served-roots.ts";
import { startScreen } from "./start-screen.ts";
import { stopSignals } from "./stop-signals.ts";

/** Milliseconds after a stop signal by which idle clients have gone, and those that are left have a transfer. */
const IDLE_GONE_MS = 300;

export function serveCommand(): Command {
  return serveFlags(new Command("serve").description("Serve a folder by FTP.")).action(serve);
}

async function serve(folder: string | undefined, flags: ServeFlags): Promise<void> {
  const ready = readyDescriptor(flags.readyFd);
  checkDescriptor(ready);
  const configuration = await configurationOf(folder, flags);
  const addresses = await listenAddresses(configuration);
  const handed = passedOn(undefined).length > 0;
  const plan = planProcesses(configuration, handed || !addresses.every(isLoopback));
  const slower = dataPathNotes(configuration);
  // Before anything is open: under root the program begins anew here, with fewer powers, unless `early.ts` saw to it.
  const ports = servedPorts(addresses.map(({ port }) => port));
  dropPowers(plan, { ports, descriptors: passedOn(ready) });
  const activated = activatedSockets();
  const home = await servedFolder(configuration.serve.folder);
  const accounts = await accountsOf(configuration, home);
  await using log = await openLog(configuration.serve);
  await using running = await startServing({ configuration, addresses, activated, accounts, plan, log });
  const { service } = running;
  using signals = stopSignals();
  const hasScreen = configuration.serve.log !== "json";
  const graceSeconds = configuration.server.graceTimeout;
  if (hasScreen) process.stderr.write(`${screenOf({ configuration, home, accounts, plan, running, slower })}\n`);
  announce(ready, service.bound);
  notify({ kind: "ready" });
  // For the next start; Node itself would write it at the end, which a server may never have.
  flushCompileCache();
  using held = new DisposableStack();
  held.use(startWatchdog(() => true));
  signals.onReload = () => void running.reload(async () => configurationOf(folder, flags));
  await signals.first;
  notify({ kind: "stopping" });
  await stop(service, { signals, graceSeconds, quiet: !hasScreen });
}

async function configurationOf(folder: string | undefined, flags: ServeFlags): Promise<Configuration> {
  const { listen, user, users, anonymous, log, xferlog, workers, workerUser, stateFolder } = flags;
  const { passivePorts, advertise, tls, cert, key, controlSocket } = flags;
  try {
    return await loadConfiguration({
      ...(flags.config === undefined ? {} : { file: flags.config }),
      environment: process.env,
      flags: {
        serve: { folder, listen, user, users, anonymous, log, xferlog, workers, workerUser, stateFolder },
        server: { passivePorts, advertise },
        tls: { tls, cert, key },
        control: { controlSocket },
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CliError(error.findings.join("\n  "), EXIT.configuration);
  }
}

/** The default includes ::1, which not every machine has; what somebody asked for is never left out. */
async function listenAddresses({ serve: { listen } }: Configuration): Promise<readonly WantedAddress[]> {
  const addresses = await resolveAddresses(listen.map(parseListenAddress));
  const isDefault = listen.join() === "127.0.0.1:2121,[::1]:2121";
  return isDefault && !hasAddress("::1") ? addresses.filter(({ address }) => address !== "::1") : addresses;
}

type Ingredients = {
  readonly configuration: Configuration;
  readonly addresses: readonly WantedAddress[];
  readonly activated: readonly ActivatedSocket[];
  readonly accounts: ServedAccounts;
  readonly plan: Plan;
  readonly log: OpenLog;
};

type Running = AsyncDisposable & {
  readonly service: Service;
  readonly certificates: Certificates | undefined;
  /** Of each bound address: whether it is TLS from the start. */
  readonly implicit: readonly boolean[];
  readonly notes: readonly string[];
  /** SIGHUP. Never rejects: what cannot be read again is told, and the old stays in force. */
  reload(read: () => Promise<Configuration>): Promise<void>;
};

async function startServing(ingredients: Ingredients): Promise<Running> {
  const { configuration, addresses, activated, accounts, plan, log } = ingredients;
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
      workers === 0 ? undefined : await startMany({ ...parts, workers, user, roots: rootsOf(accounts.homes) });
    const service = many ?? (await startSingle(parts));
    if (many !== undefined) onRenewed.tell = () => many.renew();
    started = true;
    for (const { address, port } of service.bound) {
      if (!hasScreen) log.hear({ type: "server.listening", address, port, at: Date.now() });
    }
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
  return [...restart, ...accountNotes(known), ...homeNotes(known.homes, plan), ...exposed(fresh, known)];
}

type Reloaded = {
  readonly before: Configuration;
  readonly fresh: Configuration;
  readonly known: ServedAccounts;
  readonly plan: Plan;
};

function accountNotes({ warnings }: ServedAccounts): readonly string[] {
  return warnings.map((line) => `This account cannot sign in: ${line}`);
}

function exposed(configuration: Configuration, { homes }: ServedAccounts): readonly string[] {
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

type ScreenParts = {
  readonly configuration: Configuration;
  readonly home: string;
  readonly accounts: ServedAccounts;
  readonly plan: Plan;
  readonly running: Running;
  readonly slower: readonly string[];
};

function screenOf({ configuration, home, accounts, plan, running, slower }: ScreenParts): string {
  const { service, certificates, notes } = running;
  const screen = startScreen(
    {
      folder: home,
      bound: service.bound.map((bound, at) => ({ ...bound, implicit: running.implicit[at] ?? false })),
      access: accounts.access,
      graceSeconds: configuration.server.graceTimeout,
      tls:
        certificates === undefined ? undefined : { level: configuration.tls.tls, ...certificatesFacts(certificates) },
    },
    wantsStyle(),
  );
  return [
    screen,
    ...[
      ...accountNotes(accounts),
      ...homeNotes(accounts.homes, plan),
      ...exposed(configuration, accounts),
      ...plan.notes,
      ...slower,
      ...notes,
    ].map((line) => `${line}\n`),
  ].join("");
}

function certificatesFacts({ selfSigned, fingerprint, file, until }: Certificates): {
  readonly selfSigned: boolean;
  readonly fingerprint: string;
  readonly certificate: string | undefined;
  readonly until: string;
} {
  return {
    selfSigned,
    fingerprint,
    certificate: selfSigned ? file : undefined,
    until: new Date(until).toISOString().slice(0, 10),
  };
}

type Stopping = {
  readonly signals: ReturnType<typeof stopSignals>;
  readonly graceSeconds: number;
  readonly quiet: boolean;
};

/** Lets transfers end, says what it waits for, and obeys who would not wait. */
async function stop(service: Service, { signals, graceSeconds, quiet }: Stopping): Promise<void> {
  let cut = false;
  const tell = setTimeout(() => {
    const busy = service.who().map(({ account, peer }) => `${account ?? "somebody"} at ${peer.address}`);
    if (busy.length === 0 || quiet) return;
    const names = busy.slice(0, 3).join(", ") + (busy.length > 3 ? ` and ${busy.length - 3} more` : "");
    process.stderr.write(`Waiting up to ${graceSeconds} s for the transfers of ${names}; Ctrl-C ends at once.\n`);
  }, IDLE_GONE_MS);
  void signals.second.then(() => {
    cut = true;
    service.cut();
  });
  await service.stop(graceSeconds);
  clearTimeout(tell);
  if (cut) throw new CliError("ended at once; transfers were cut off", EXIT.failed);
  if (!quiet) process.stderr.write("Stopped.\n");
}

/** A wrong number must be told before the server runs without anybody to hear of it. */
function checkDescriptor(descriptor: number | undefined): void {
  try {
    if (descriptor !== undefined) fstatSync(descriptor);
  } catch {
    throw new CliError(`--ready-fd ${descriptor}: that descriptor is not open`, EXIT.usage);
  }
}

function announce(descriptor: number | undefined, bound: readonly BoundAddress[]): void {
  if (descriptor === undefined) return;
  const addresses = bound.map(({ address, port }) => ({ address, port }));
  writeSync(descriptor, `${JSON.stringify({ addresses })}\n`);
  if (descriptor > 2) closeSync(descriptor);
}

/** no-color.org: any value that is not empty counts. */
function wantsStyle(): boolean {
  return process.stderr.isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
}
