/** A profile in plain words: what a server is, what works, and what to do about the rest. */
import { NAME_PUBLIC, OPEN_PASSIVE } from "./data-advice.ts";
import { type DataMode, printable } from "./errors.ts";
import type { Profile } from "./profile.ts";
import { seconds } from "./waits.ts";

/** Characters of one line of a greeting or outcome: some lines of a terminal. */
const SHOWN_MOST = 200;
/** Lines of a greeting: some are whole pages. */
const GREETING_LINES = 3;

const WAYS: Readonly<Record<DataMode, string>> = {
  epsv: "EPSV (we connect, IPv4 and IPv6)",
  pasv: "PASV (we connect, IPv4)",
  eprt: "EPRT (the server connects to us, IPv4 and IPv6)",
  port: "PORT (the server connects to us, IPv4)",
};

/** @returns lines for a terminal, without what could disturb it. */
export function describeProfile(profile: Profile): string {
  const { host, port, greeting, system } = profile;
  const hello = greeting
    .split("\n")
    .map((text) => line(text.replace(/^\d{3}[- ]/, "")))
    .filter((text) => text !== "");
  return [
    `${line(host)}, port ${port}`,
    ...hello.slice(0, GREETING_LINES).map((text) => `  says       ${text}`),
    ...(system === "" ? [] : [`  system     ${line(system)}`]),
    `  TLS        ${tlsOf(profile)}`,
    `  listings   ${listingOf(profile)}`,
    `  pipelining ${pipeliningOf(profile)}`,
    "  data connections:",
    ...profile.modes.map(modeOf),
    ...(profile.modes.length === 0 ? ["    none was tried"] : []),
    ...headed(
      "What is not right:",
      profile.warnings.map((warning) => `  - ${line(warning)}`),
    ),
    ...headed(
      "What to do:",
      adviceOf(profile).map((advice) => `  - ${advice}`),
    ),
    "",
  ].join("\n");
}

function line(text: string): string {
  const clean = printable(text.trim());
  return clean.length > SHOWN_MOST ? `${clean.slice(0, SHOWN_MOST)}…` : clean;
}

function headed(head: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", head, ...lines];
}

function tlsOf({ tls: { offered, version, fingerprint, resumes } }: Profile): string {
  if (!offered) return "not offered: everything goes in clear text";
  if (version === undefined) return "offered, not used this time";
  const resumed =
    resumes === undefined ? "" : resumes ? "; data connections resume it" : "; data connections do not resume it";
  return `${line(version)}${resumed}${fingerprint === undefined ? "" : `\n  certificate SHA-256 ${line(fingerprint)}`}`;
}

function listingOf({ listing, zoneMinutes }: Profile): string {
  const kind = listing === "mlsd" ? "MLSD: exact times and sizes" : "LIST: for people, read as well as it can be";
  const zone = zoneMinutes === undefined ? "" : `; LIST tells the time of ${zoneName(zoneMinutes)}`;
  return `${kind}${zone}`;
}

function zoneName(minutes: number): string {
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "-" : "+"}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`}`;
}

function pipeliningOf({ pipelining }: Profile): string {
  if (pipelining === undefined) return "not tried: there was no small file, or no passive mode";
  return pipelining ? "works: the next command may go out while a file comes" : "does not work: one command at a time";
}

function modeOf({ mode, works, outcome, endpoint, ms }: Profile["modes"][number]): string {
  const where = endpoint === undefined ? "" : `, ${line(endpoint)}`;
  return works
    ? `    works  ${WAYS[mode]}${where}: ${seconds(ms)}`
    : `    fails  ${WAYS[mode]}${where}: ${line(outcome)} (${seconds(ms)})`;
}

function adviceOf({ modes, tls, warnings }: Profile): readonly string[] {
  const works = modes.filter((result) => result.works).map(({ mode }) => mode);
  const isPassive = works.some((mode) => mode === "epsv" || mode === "pasv");
  const advice: string[] = [];
  const [best] = works;
  if (best !== undefined && modes.some((result) => !result.works)) {
    advice.push(`Use ${best.toUpperCase()}; ferryman finds that by itself, other clients may have to be told.`);
  }
  if (modes.length > 0 && !isPassive) {
    advice.push(OPEN_PASSIVE);
  }
  if (modes.length > 0 && works.length === 0) {
    advice.push(
      "Here: is a firewall or proxy in the way that lets port 21 pass and nothing else? `ferryman doctor` tells.",
    );
  }
  if (!tls.offered) advice.push("At the server: switch TLS on (AUTH TLS); until then send nothing that is secret.");
  else if (tls.version === undefined) advice.push("Use ftpes:// so that nothing goes in clear text.");
  if (warnings.some((warning) => warning.startsWith("PASV names "))) {
    advice.push(NAME_PUBLIC);
  }
  return advice;
}
