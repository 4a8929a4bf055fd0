/** `ferryman serve`: from flags, file and environment to a server that runs until somebody stops it. */
import { closeSync, fstatSync, writeSync } from "node:fs";
import { Command } from "commander";
import { ConfigurationError, loadConfiguration } from "../config/configuration.ts";
import type { Configuration } from "../config/sections.ts";
import { type FtpServer, createFtpServer } from "../server/server.ts";
import { accountsOf } from "./accounts.ts";
import { CliError, EXIT } from "./exit.ts";
import { type BoundAddress, hasAddress, listenError, parseListenAddress, resolveAddresses } from "./listen-address.ts";
import { openLog } from "./open-log.ts";
import { type ServeFlags, readyDescriptor, refuseLaterFlags, serveFlags } from "./serve-flags.ts";
import { servedFolder } from "./served-folder.ts";
import { startScreen } from "./start-screen.ts";
import { stopSignals } from "./stop-signals.ts";

/** Milliseconds after a stop signal by which idle clients have gone, and those that are left have a transfer. */
const IDLE_GONE_MS = 300;

export function serveCommand(): Command {
  return serveFlags(new Command("serve").description("Serve a folder by FTP.")).action(serve);
}

async function serve(folder: string | undefined, flags: ServeFlags): Promise<void> {
  refuseLaterFlags(flags);
  const ready = readyDescriptor(flags.readyFd);
  checkDescriptor(ready);
  const configuration = await configurationOf(folder, flags);
  const home = await servedFolder(configuration.serve.folder);
  const accounts = await accountsOf(configuration, home);
  await using log = await openLog(configuration.serve);
  const listen = await listenAddresses(configuration);
  const hasScreen = configuration.serve.log !== "json";
  const server = createFtpServer({
    listen,
    accounts: accounts.stores,
    passwords: accounts.passwords,
    onEvent(event) {
      // The first screen says where we listen, in one piece.
      if (hasScreen && event.type === "server.listening") return;
      log.hear(event);
    },
    settings: configuration.server,
  });
  using signals = stopSignals();
  const bound = await started(server);
  const { graceTimeout } = configuration.server;
  if (hasScreen) {
    const screen = { folder: home, bound, access: accounts.access, graceSeconds: graceTimeout };
    const warnings = accounts.warnings.map((line) => `This account cannot sign in: ${line}\n`).join("");
    process.stderr.write(`${startScreen(screen, wantsStyle())}${warnings}\n`);
  }
  announce(ready, bound);
  await signals.first;
  await stop(server, { signals, graceSeconds: graceTimeout, quiet: !hasScreen });
}

async function configurationOf(folder: string | undefined, flags: ServeFlags): Promise<Configuration> {
  const { listen, user, users, anonymous, log, xferlog, workers, passivePorts, advertise } = flags;
  try {
    return await loadConfiguration({
      ...(flags.config === undefined ? {} : { file: flags.config }),
      environment: process.env,
      flags: {
        serve: { folder, listen, user, users, anonymous, log, xferlog, workers },
        server: { passivePorts, advertise },
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CliError(error.findings.join("\n  "), EXIT.configuration);
  }
}

/** The default includes ::1, which not every machine has; what somebody asked for is never left out. */
async function listenAddresses({ serve: { listen } }: Configuration): Promise<readonly BoundAddress[]> {
  const addresses = await resolveAddresses(listen.map(parseListenAddress));
  const isDefault = listen.join() === "127.0.0.1:2121,[::1]:2121";
  return isDefault && !hasAddress("::1") ? addresses.filter(({ address }) => address !== "::1") : addresses;
}

async function started(server: FtpServer): Promise<readonly BoundAddress[]> {
  try {
    return await server.listen();
  } catch (error) {
    throw listenError(error);
  }
}

type Stopping = {
  readonly signals: ReturnType<typeof stopSignals>;
  readonly graceSeconds: number;
  readonly quiet: boolean;
};

/** Lets transfers end, says what it waits for, and obeys who would not wait. */
async function stop(server: FtpServer, { signals, graceSeconds, quiet }: Stopping): Promise<void> {
  let cut = false;
  const tell = setTimeout(() => {
    const busy = server.who.list().map(({ account, peer }) => `${account ?? "somebody"} at ${peer.address}`);
    if (busy.length === 0 || quiet) return;
    const names = busy.slice(0, 3).join(", ") + (busy.length > 3 ? ` and ${busy.length - 3} more` : "");
    process.stderr.write(`Waiting up to ${graceSeconds} s for the transfers of ${names}; Ctrl-C ends at once.\n`);
  }, IDLE_GONE_MS);
  void signals.second.then(() => {
    cut = true;
    server.endNow();
  });
  await server.close({ graceSeconds });
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
