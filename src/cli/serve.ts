/** `ferryman serve`: from flags, file and environment to a server that runs until somebody stops it. */
import { fstatSync } from "node:fs";
import { Command } from "commander";
import { ConfigurationError, loadConfiguration } from "../config/configuration.ts";
import type { Configuration } from "../config/sections.ts";
import { WaitingWorkers, startedFirst } from "../service/worker-process.ts";
import { accountsOf } from "./accounts.ts";
import { passedOn, servedPorts } from "./broker-powers.ts";
import { CliError, EXIT } from "./exit.ts";
import { type WantedAddress, hasAddress, isLoopback, parseListenAddress, resolveAddresses } from "./listen-address.ts";
import { type Plan, dropPowers, planProcesses } from "./privilege.ts";
import { type ServeFlags, readyDescriptor, serveFlags } from "./serve-flags.ts";
import { servedFolder } from "./served-folder.ts";
import { rootsOf } from "./served-roots.ts";

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
  // Before anything is open: under root the program begins anew here, with fewer powers, unless `early.ts` saw to it.
  const ports = servedPorts(addresses.map(({ port }) => port));
  dropPowers(plan, { ports, descriptors: passedOn(ready) });
  const home = await servedFolder(configuration.serve.folder);
  const accounts = await accountsOf(configuration, home);
  using waiting = waitingWorkers(plan, rootsOf(accounts.homes));
  // Most of a server: it is loaded while the first workers start.
  const { run } = await import("./running.ts");
  const read = async (): Promise<Configuration> => configurationOf(folder, flags);
  await run({ configuration, addresses, home, accounts, plan, waiting, ready, read });
}

/** As many as start at first; none where everything runs in this process. */
function waitingWorkers({ workers, user }: Plan, roots: ReturnType<typeof rootsOf>): WaitingWorkers | undefined {
  return workers === 0 ? undefined : new WaitingWorkers(startedFirst(workers), { user, roots });
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

/** A wrong number must be told before the server runs without anybody to hear of it. */
function checkDescriptor(descriptor: number | undefined): void {
  try {
    if (descriptor !== undefined) fstatSync(descriptor);
  } catch {
    throw new CliError(`--ready-fd ${descriptor}: that descriptor is not open`, EXIT.usage);
  }
}
