/** What a service manager hands over and wants to hear: sockets, states, the watchdog. sd_listen_fds(3), sd_notify(3). */
import { fstatSync } from "node:fs";
import { faultMessage } from "../base/fault-text.ts";
import { loadProcessCalls } from "../sys/process-calls.ts";
import { ACTIVATION_LIMIT, NOTIFY_LIMIT } from "./limits.ts";

/** A socket that listens already: `server.listen({ fd: descriptor })`. */
export type ActivatedSocket = { readonly descriptor: number; readonly name: string };

const FIRST_DESCRIPTOR = 3;
/** What sd_listen_fds_with_names(3) calls a socket without a name. */
const NO_NAME = "unknown";
/** Characters of a name: FileDescriptorName= allows 255. */
const NAME_LIMIT = 255;

/**
 * The sockets that the service manager opened for this very process; none when there is no such manager. Takes the
 * variables away, so that no child believes they are for it.
 * @throws {Error} when the variables are set for us and wrong.
 */
export function activatedSockets(environment: NodeJS.ProcessEnv = process.env): readonly ActivatedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment;
  if (pid !== String(process.pid) || count === undefined) return [];
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  if (!/^\d{1,3}$/.test(count) || Number(count) > ACTIVATION_LIMIT) {
    throw new Error(`LISTEN_FDS=${count} cannot be: a number from 0 to ${ACTIVATION_LIMIT}`);
  }
  const listed = names === undefined || names === "" ? [] : names.split(":");
  return Array.from({ length: Number(count) }, (_, index) => {
    const descriptor = FIRST_DESCRIPTOR + index;
    assertSocket(descriptor);
    return { descriptor, name: listed[index]?.slice(0, NAME_LIMIT) || NO_NAME };
  });
}

function assertSocket(descriptor: number): void {
  let isSocket: boolean;
  try {
    isSocket = fstatSync(descriptor).isSocket();
  } catch (error) {
    throw new Error(`LISTEN_FDS counts descriptor ${descriptor}, which is not open`, { cause: error });
  }
  if (!isSocket) throw new Error(`LISTEN_FDS counts descriptor ${descriptor}, which is no socket`);
}

export type ServiceState =
  | { readonly kind: "ready" | "stopping" | "watchdog" }
  /** MONOTONIC_USEC goes along, which Type=notify-reload waits for; "ready" ends it. */
  | { readonly kind: "reloading" }
  | { readonly kind: "status"; readonly text: string }
  /** More time for a start or stop that takes long. */
  | { readonly kind: "extend"; readonly milliseconds: number };

/** Why a state was not told; "no manager" is no fault. */
export type NotifyOutcome = { readonly told: true } | { readonly told: false; readonly reason: string };

/** Tells the service manager. Never throws: a server does not stop serving because nobody listens. */
export function notify(state: ServiceState, environment: NodeJS.ProcessEnv = process.env): NotifyOutcome {
  const address = environment["NOTIFY_SOCKET"];
  if (address === undefined || address === "") return { told: false, reason: "no manager" };
  if (!/^[/@]./.test(address)) return { told: false, reason: `NOTIFY_SOCKET=${address} is no unix socket` };
  const calls = loadProcessCalls();
  if (calls === undefined) {
    return {
      told: false,
      reason: "the package koffi is missing or switched off: use Type=exec and no WatchdogSec= in the unit",
    };
  }
  try {
    calls.sendDatagram(address, stateLines(state).slice(0, NOTIFY_LIMIT));
    return { told: true };
  } catch (error) {
    return { told: false, reason: faultMessage(error) };
  }
}

function stateLines(state: ServiceState): string {
  if (state.kind === "status") return `STATUS=${state.text.replaceAll(/[\r\n\0]+/g, " ")}`;
  if (state.kind === "extend") return `EXTEND_TIMEOUT_USEC=${Math.round(state.milliseconds * 1000)}`;
  return LINES[state.kind]();
}

const LINES = {
  ready: () => "READY=1",
  stopping: () => "STOPPING=1",
  watchdog: () => "WATCHDOG=1",
  // CLOCK_MONOTONIC, which is what hrtime is on Linux.
  reloading: () => `RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`,
} as const;

/**
 * Pings the service manager at half the interval that it asked for, each time only if `isHealthy` says so: a broker
 * whose workers are all gone is restarted. Does nothing where no watchdog was asked for.
 */
export function startWatchdog(isHealthy: () => boolean, environment: NodeJS.ProcessEnv = process.env): Disposable {
  const interval = watchdogInterval(environment);
  if (interval === undefined) return { [Symbol.dispose]: () => {} };
  const timer = setInterval(() => {
    if (isHealthy()) notify({ kind: "watchdog" }, environment);
  }, interval / 2);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Milliseconds that may pass between two pings; undefined: none are awaited from this process. */
export function watchdogInterval(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const { WATCHDOG_USEC: microseconds = "", WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return undefined;
  // From a millisecond to 24 days, beyond which timers of Node do not reach.
  if (!/^\d{4,15}$/.test(microseconds)) return undefined;
  return Math.min(Number(microseconds) / 1000, 2 ** 31 - 1);
}
