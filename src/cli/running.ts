/** The time of a server's run: its first screen, who hears that it is ready, its reloads, and its end. */
import { closeSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import type { Configuration } from "../config/sections.ts";
import { activatedSockets, notify, startWatchdog } from "../jail/systemd.ts";
import type { Certificates } from "../service/certificates.ts";
import type { Service } from "../service/service.ts";
import type { WaitingWorkers } from "../service/worker-process.ts";
import type { ServedAccounts } from "./accounts.ts";
import { dataPathNotes } from "./data-path.ts";
import { CliError, EXIT } from "./exit.ts";
import { homeNotes } from "./home-notes.ts";
import type { BoundAddress, WantedAddress } from "./listen-address.ts";
import { openLog } from "./open-log.ts";
import type { Plan } from "./privilege.ts";
import { type Running, exposed, startServing } from "./serving.ts";
import { startScreen } from "./start-screen.ts";
import { stopSignals } from "./stop-signals.ts";

/** Milliseconds after a stop signal by which idle clients have gone, and those that are left have a transfer. */
const IDLE_GONE_MS = 300;

export type Run = {
  readonly configuration: Configuration;
  readonly addresses: readonly WantedAddress[];
  readonly home: string;
  readonly accounts: ServedAccounts;
  readonly plan: Plan;
  readonly waiting: WaitingWorkers | undefined;
  /** The descriptor of --ready-fd. */
  readonly ready: number | undefined;
  /** The configuration as it is then. */
  readonly read: () => Promise<Configuration>;
};

/** @returns when the server has been stopped. @throws {CliError} when it cannot serve, or was ended at once. */
export async function run({
  configuration,
  addresses,
  home,
  accounts,
  plan,
  waiting,
  ready,
  read,
}: Run): Promise<void> {
  const slower = dataPathNotes(configuration);
  const activated = activatedSockets();
  await using log = await openLog(configuration.serve);
  // Before there is anything that an end by default would leave behind: the control socket, an open ban list.
  using signals = stopSignals();
  let isStarting = true;
  void signals.second.then(() => {
    if (isStarting) process.exit(EXIT.failed);
  });
  await using running = await startServing({ configuration, addresses, activated, accounts, plan, waiting, log });
  isStarting = false;
  const { service } = running;
  const hasScreen = configuration.serve.log !== "json";
  const graceSeconds = configuration.server.graceTimeout;
  if (signals.isAsked) return await stop(service, { signals, graceSeconds: 0, quiet: !hasScreen });
  if (hasScreen) process.stderr.write(`${screenOf({ configuration, home, accounts, plan, running, slower })}\n`);
  announce(ready, service.bound);
  notify({ kind: "ready" });
  // For the next start; Node itself would write it at the end, which a server may never have.
  flushCompileCache();
  using held = new DisposableStack();
  held.use(startWatchdog(() => true));
  signals.onReload = () => void running.reload(read);
  await signals.first;
  notify({ kind: "stopping" });
  await stop(service, { signals, graceSeconds, quiet: !hasScreen });
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
      users: configuration.serve.users,
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
      ...accounts.warnings,
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
