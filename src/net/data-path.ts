/** Which way octets go between files and data connections on this host, and why. */
import { readFileSync } from "node:fs";
import { whyNoLibrary } from "../sys/c-library.ts";
import { type DataCalls, DataCallError, loadDataCalls } from "../sys/data-calls.ts";

export type DataPath =
  /** By system calls on bare descriptors, driven by the event loop: sendfile, and writes on other threads. */
  | { readonly kind: "native"; readonly calls: DataCalls }
  /** Through buffers of this process and Node's streams. */
  | { readonly kind: "portable"; readonly why: string };

/** @param wanted "auto": native where it works. @throws {Error} for "native" where it does not, saying why. */
export function chooseDataPath(wanted: "auto" | "native" | "portable" = "auto"): DataPath {
  if (wanted === "portable") return { kind: "portable", why: 'data-path = "portable" is set' };
  // For a whole run of tests on the other path.
  if (process.env["FERRYMAN_DATA_PATH"] === "portable") {
    return { kind: "portable", why: "the environment has FERRYMAN_DATA_PATH=portable" };
  }
  const calls = loadDataCalls();
  if (calls !== undefined) return { kind: "native", calls };
  const why = whyNoLibrary();
  if (wanted === "native") throw new Error(`the native data path does not work here: ${why}`);
  return { kind: "portable", why };
}

/** Why passive data connections cannot have this congestion control; undefined: they can. */
export function congestionFault(path: DataPath, congestionControl: string | undefined): string | undefined {
  if (congestionControl === undefined) return undefined;
  if (path.kind === "portable") return `it needs the native data path, and that is not in force: ${path.why}`;
  const allowed = allowedCongestion();
  // The broker may use any; a worker may not.
  if (allowed !== undefined && !allowed.includes(congestionControl)) {
    return `this system allows ${allowed.join(", ")} (net.ipv4.tcp_allowed_congestion_control)`;
  }
  try {
    path.calls.close(path.calls.listen("127.0.0.1", 0, { backlog: 1, congestionControl }));
    return undefined;
  } catch (error) {
    if (!(error instanceof DataCallError)) throw error;
    return `this system does not have it (${error.code})`;
  }
}

function allowedCongestion(): readonly string[] | undefined {
  try {
    return readFileSync("/proc/sys/net/ipv4/tcp_allowed_congestion_control", "latin1").trim().split(/\s+/);
  } catch {
    return undefined;
  }
}
