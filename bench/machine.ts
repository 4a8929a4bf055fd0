/** The machine that a run was made on, as the page and the JSON tell it: no names, no addresses. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { findProgram, run } from "./processes.ts";

export async function machine(folder: string): Promise<Readonly<Record<string, string>>> {
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(readOr("/etc/os-release"))?.[1] ?? process.platform;
  const table = await run("df", ["--output=fstype", folder]).catch(() => "");
  const openssl = findProgram("openssl") === undefined ? "none" : await run("openssl", ["version"]);
  const [load = "?"] = readOr("/proc/loadavg").split(" ");
  return {
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} processors`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${system}, kernel ${release().split("-")[0]}`,
    "congestion control of TCP": readOr("/proc/sys/net/ipv4/tcp_congestion_control").trim() || "unknown",
    "file system": table.trim().split("\n").at(-1) ?? "unknown",
    node: `${process.version}, OpenSSL ${process.versions.openssl}`,
    openssl: openssl.replace(/ \(Library.*/, "").trim(),
    "load average": `${load} before the run`,
  };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
