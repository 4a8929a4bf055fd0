/** What this machine gives a server: the data path, the jail, the confinement. One finding each. */
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { chooseDataPath, congestionFault } from "../net/data-path.ts";
import { openLocalStorage } from "../storage/local/local.ts";
import { whyNoLibrary } from "../sys/c-library.ts";
import { loadProcessCalls } from "../sys/process-calls.ts";
import { examineDataPath } from "./data-path.ts";
import type { Finding } from "./finding.ts";

/** What of a server's settings the findings depend on. */
export type ServerSettings = {
  readonly dataPath: "auto" | "native" | "portable";
  readonly congestionControl?: string | undefined;
};

export async function examineHost(settings: ServerSettings): Promise<readonly Finding[]> {
  return [
    await examineDataPath(() => chooseDataPath(settings.dataPath)),
    await examineJail(),
    examineConfinement(),
    await examineCongestion(settings),
  ];
}

/** Why no system call can be made at all; undefined: they can, so the kernel is what lacks something. */
function missing(): string | undefined {
  return loadProcessCalls() === undefined ? whyNoLibrary() : undefined;
}

async function examineJail(): Promise<Finding> {
  await using storage = await openLocalStorage(tmpdir());
  if (storage.jail === "kernel") {
    const says = "the kernel keeps clients inside the served folder";
    return { id: "jail", state: "good", says, evidence: ["openat2 with RESOLVE_IN_ROOT works"] };
  }
  return {
    id: "jail",
    state: "less",
    says: "Ferryman itself keeps clients inside the served folder, step by step",
    evidence: [`openat2 cannot be used: ${missing() ?? "it needs Linux 5.6"}`],
    cure: "see the reason; it is safe as it is, and slower",
  };
}

function examineConfinement(): Finding {
  const version = loadProcessCalls()?.landlockVersion() ?? 0;
  if (version > 0) {
    const says = "workers can be confined to the served folders";
    return { id: "confinement", state: "good", says, evidence: [`Landlock, version ${version}`] };
  }
  return {
    id: "confinement",
    state: "less",
    says: "workers cannot be confined by the kernel",
    evidence: [`no Landlock: ${missing() ?? "it needs Linux 5.13, and to be switched on (lsm=landlock,… at boot)"}`],
  };
}

async function examineCongestion({ dataPath, congestionControl }: ServerSettings): Promise<Finding> {
  const [used, allowed] = [await kernel("tcp_congestion_control"), await kernel("tcp_allowed_congestion_control")];
  const evidence = [`the system's: ${used || "unknown"}`, `allowed to anyone: ${allowed || "unknown"}`];
  // Where the native path cannot be had, its own finding says so.
  const path = chooseDataPath(dataPath === "native" ? "auto" : dataPath);
  const fault = congestionFault(path, congestionControl);
  if (fault !== undefined) {
    const says = `congestion-control = "${congestionControl}" cannot be used`;
    return { id: "congestion", state: "bad", says, evidence: [fault, ...evidence], cure: "leave it out of [server]" };
  }
  const says = `passive data connections use ${congestionControl ?? "the system's congestion control"}`;
  const isBetter = congestionControl === undefined && used !== "bbr" && allowed.split(" ").includes("bbr");
  const cure = 'for clients far away on lossy lines try congestion-control = "bbr" in [server]';
  return { id: "congestion", state: "good", says, evidence, ...(isBetter ? { cure } : {}) };
}

async function kernel(setting: string): Promise<string> {
  return (await readFile(`/proc/sys/net/ipv4/${setting}`, "latin1").catch(() => "")).trim();
}
