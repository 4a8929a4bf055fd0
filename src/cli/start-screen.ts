/** What `ferryman serve` says first: where, who may do what, how to connect, what to run next. At most 80 by 24. */
import { PROGRAM, serveAgain, serveForOthers, shellWord } from "./program.ts";
import { styleText } from "node:util";
import { type BoundAddress, hostPort, isLoopback } from "./listen-address.ts";

export type Access = {
  /** As somebody signs in: "anonymous", "ann". */
  readonly who: string;
  /** "read", "read and write" … */
  readonly may: string;
  /** A folder of this host. */
  readonly folder: string;
};
type ShownAddress = BoundAddress & { readonly implicit?: boolean };
export type ScreenFacts = {
  readonly folder: string;
  /** The file of accounts, if one is configured. */
  readonly users?: string | undefined;
  readonly bound: readonly ShownAddress[];
  readonly access: readonly Access[];
  readonly graceSeconds: number;
  /** undefined: no TLS. */
  readonly tls:
    | {
        readonly level: string;
        readonly selfSigned: boolean;
        readonly fingerprint: string;
        readonly certificate?: string | undefined;
        /** The day after which the certificate counts no more. */
        readonly until: string;
      }
    | undefined;
};

/** Lines for accounts and for addresses, so that everything stays within 24. */
const MOST_ACCOUNTS = 2;
const MOST_ADDRESSES = 2;
const WIDTH = 79;

/** @param styled whether the output is a terminal that wants weight; plain text otherwise. */
export function startScreen(facts: ScreenFacts, styled: boolean): string {
  const strong = (text: string): string => (styled ? styleText("bold", text, { validateStream: false }) : text);
  const [first = { address: "127.0.0.1", port: 2121 }] = facts.bound;
  const guest = facts.access.some(({ who }) => who === "anonymous");
  const named = facts.access.find(({ who }) => who !== "anonymous")?.who;
  const others = facts.bound
    .slice(1, MOST_ADDRESSES)
    .map((bound) => `  also at ${scheme(bound)}://${hostPort(reachable(bound))}/`);
  const how = guest ? "user anonymous, any password" : `user ${named ?? "of the users file"}`;
  const { address, port } = reachable(first);
  return [
    strong(`Ferryman serves ${whatIsServed(facts)}`),
    "",
    strong("Who may do what"),
    ...accessLines(facts.access),
    "",
    strong("Connect with"),
    `  curl ${curlFlags(facts)}${guest ? "" : `--user ${named ?? "NAME"} `}${scheme(first)}://${hostPort(reachable(first))}/`,
    ...others,
    ...more(facts.bound.length - 1 - others.length, "address", "addresses"),
    `  or any FTP client: host ${address}, port ${port}, ${how}`,
    "",
    strong("Next"),
    `  an account         ${PROGRAM} user add NAME --users ${shellWord(facts.users ?? "users.toml")}`,
    ...(facts.users === undefined ? [`                     ${serveAgain({ more: ["--users", "users.toml"] })}`] : []),
    ...(facts.bound.every(isLoopback)
      ? [`  for other machines ${serveForOthers(port, { accounts: named !== undefined })}`]
      : []),
    `  stop               Ctrl-C (transfers get ${facts.graceSeconds} s to end; twice: at once)`,
    "",
    ...tlsLines(facts.tls),
    "",
  ].join("\n");
}

/** The folder, unless nobody would find himself in it: then it is only where homes without a path would lie. */
function whatIsServed({ folder, access }: ScreenFacts): string {
  if (access.length === 0 || access.some((each) => each.folder === folder)) return cut(folder, WIDTH - 16);
  return access.length === 1 ? "the home of one account" : `the homes of ${access.length} accounts`;
}

function accessLines(access: readonly Access[]): readonly string[] {
  if (access.length === 0) return ["  the accounts of the users file, each in its home"];
  const shown = access.slice(0, MOST_ACCOUNTS);
  const [names, rights] = [longest(shown.map(({ who }) => who)), longest(shown.map(({ may }) => may))];
  const lines = shown.map(({ who, may, folder }) => {
    const left = `  ${cut(who, names).padEnd(names)}  ${cut(may, rights).padEnd(rights)}  `;
    return left + cut(folder, WIDTH - left.length);
  });
  return [...lines, ...more(access.length - shown.length, "account", "accounts")];
}

/** Columns for a list of words: as wide as the longest, within a third of the line. */
function longest(words: readonly string[]): number {
  return Math.min(26, Math.max(...words.map((word) => word.length)));
}

function more(count: number, one: string, many: string): readonly string[] {
  return count <= 0 ? [] : [`  and ${count} more ${count === 1 ? one : many}`];
}

/** The end of a path says more than its beginning. */
function cut(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}

/** "Every address" is none to connect to. */
function reachable({ address, port }: BoundAddress): BoundAddress {
  if (address === "0.0.0.0") return { address: "127.0.0.1", port };
  return { address: address === "::" ? "::1" : address, port };
}

/** What curl needs so that the line works as it stands. */
function curlFlags({ tls, bound }: ScreenFacts): string {
  if (tls === undefined || (bound[0]?.implicit !== true && !tls.level.startsWith("require"))) return "";
  return `--ssl-reqd ${tls.certificate === undefined ? (tls.selfSigned ? "-k " : "") : `--cacert ${shellWord(tls.certificate)} `}`;
}

function scheme({ implicit }: ShownAddress): string {
  return implicit === true ? "ftps" : "ftp";
}

function tlsLines(tls: ScreenFacts["tls"]): readonly string[] {
  if (tls === undefined) return ["TLS is off: passwords and files cross the network for all to read."];
  const who = {
    off: "on ports that are TLS from the start",
    allow: "for clients that ask (AUTH TLS)",
    require: "needed to sign in",
    "require-data": "needed to sign in, and for files",
  }[tls.level];
  const first = `TLS: ${who ?? tls.level}`;
  if (!tls.selfSigned) return [`${first}; the certificate is valid until ${tls.until}.`];
  const where = tls.certificate === undefined ? "" : ` in ${tls.certificate}`;
  return [`${first}; self-signed certificate${where}, SHA-256`, ...halves(tls.fingerprint).map((line) => `  ${line}`)];
}

/** 95 characters are more than a line. */
function halves(fingerprint: string): readonly string[] {
  return [fingerprint.slice(0, 48), fingerprint.slice(48)];
}
