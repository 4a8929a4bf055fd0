/** Which way octets go between files and data connections on this host, and why. */
import { type DataCalls, loadDataCalls } from "../sys/data-calls.ts";

export type DataPath =
  /** In the kernel, by splice and sendfile, driven by the event loop. */
  | { readonly kind: "native"; readonly calls: DataCalls }
  /** Through buffers of this process and Node's streams. */
  | { readonly kind: "portable"; readonly why: string };

/** @param wanted "auto": native where it works. @throws {Error} for "native" where it does not, saying why. */
export function chooseDataPath(wanted: "auto" | "native" | "portable" = "auto"): DataPath {
  if (wanted === "portable") return { kind: "portable", why: "the setting data-path asks for it" };
  // For a whole run of tests on the other path.
  if (process.env["FERRYMAN_DATA_PATH"] === "portable") {
    return { kind: "portable", why: "the environment has FERRYMAN_DATA_PATH=portable" };
  }
  const calls = loadDataCalls();
  if (calls !== undefined) return { kind: "native", calls };
  const why = whyNot();
  if (wanted === "native") throw new Error(`the native data path does not work here: ${why}`);
  return { kind: "portable", why };
}

function whyNot(): string {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.arch !== "x64" && process.arch !== "arm64") return "it needs x64 or arm64";
  if (process.env["FERRYMAN_FFI"] === "off") return "the environment has FERRYMAN_FFI=off";
  return "the package koffi is not installed, or not for this C library";
}
