/** Accounts for people and for programs: an aligned table, one account in full, JSON. Of the hash its form alone. */
import { styleText } from "node:util";
import { hashForm } from "../account/hash-forms.ts";
import { formatRights, rightsList } from "../account/rights.ts";
import type { User, UserEntry } from "../account/users-toml.ts";
import { formatDuration, formatOctets } from "../base/units.ts";
import { alignment, printable } from "./columns.ts";

type Status = "ok" | "disabled" | "expired" | "malformed";

/** @param now milliseconds since 1970 UTC. */
function statusOf(entry: UserEntry, now: number): Status {
  if (entry.kind === "malformed") return "malformed";
  const { disabled, expires } = entry.user;
  if (disabled) return "disabled";
  return expires !== undefined && expires.getTime() <= now ? "expired" : "ok";
}

export type Showing = { readonly now: number; readonly stream: NodeJS.WritableStream };

/** One line per account under a header. */
export function userTable(entries: readonly UserEntry[], { now, stream }: Showing): string {
  const rows = entries.map((entry) => {
    if (entry.kind === "malformed") return [printable(entry.name), "malformed", "", "", "", ""];
    const { user } = entry;
    return [
      user.name,
      statusOf(entry, now),
      rightsInShort(user),
      hashForm(user.password) ?? "",
      homeOf(user),
      limitsOf(user).join(", "),
    ];
  });
  const header = ["NAME", "STATUS", "RIGHTS", "HASH", "HOME", "LIMITS"];
  const line = alignment([header, ...rows]);
  const lines = rows.map((row) => {
    const [, status] = row;
    return status === "ok" ? line(row) : styleText(status === "malformed" ? "red" : "dim", line(row), { stream });
  });
  return [styleText("bold", line(header), { stream }), ...lines].join("\n");
}

/** One account, a line per fact. */
export function userCard(user: User, { now, stream }: Showing): string {
  const facts: readonly (readonly [string, string])[] = [
    ["name", user.name],
    ["status", statusOf({ kind: "good", user }, now)],
    ["hash", hashForm(user.password) ?? ""],
    ["home", homeOf(user)],
    [
      "rights",
      `${formatRights(user.rights)}${user.rights.size === 0 ? "" : ` (${rightsList(user.rights).join(", ")})`}`,
    ],
    ...user.folders.map(({ pattern, rights }) => ["folder", `${printable(pattern)}: ${formatRights(rights)}`] as const),
    ...limitsOf(user).map((limit) => ["limit", limit] as const),
    ...(user.tls === undefined ? [] : [["tls", user.tls] as const]),
    ...(user.expires === undefined ? [] : [["expires", user.expires.toISOString()] as const]),
  ];
  return facts.map(([key, value]) => `${styleText("bold", key.padEnd(8), { stream })}${value}`).join("\n");
}

/** For programs. Times in RFC 3339, rates in octets a second, idle in seconds. */
export function userJson(entry: UserEntry, now: number): unknown {
  const status = statusOf(entry, now);
  if (entry.kind === "malformed") return { name: entry.name, status, findings: entry.findings };
  const { name, password, home, rights, folders, limits, disabled, expires, tls } = entry.user;
  return {
    name,
    status,
    hash: hashForm(password) ?? null,
    home: home ?? null,
    rights: rightsList(rights),
    folders: folders.map((rule) => ({ pattern: rule.pattern, rights: rightsList(rule.rights) })),
    limits,
    disabled,
    expires: expires?.toISOString() ?? null,
    tls: tls ?? null,
  };
}

function rightsInShort({ rights, folders }: User): string {
  const rules = folders.length === 0 ? "" : ` +${folders.length} ${folders.length === 1 ? "folder" : "folders"}`;
  return formatRights(rights) + rules;
}

function homeOf({ home }: User): string {
  return home === undefined ? "(the served folder)" : printable(home);
}

function limitsOf({ limits }: User): readonly string[] {
  const { sessions, transfers, downloadRate, uploadRate, sessionDownloadRate, sessionUploadRate, idleSeconds } = limits;
  return [
    ...(sessions === undefined ? [] : [`sessions ${sessions}`]),
    ...(transfers === undefined ? [] : [`transfers ${transfers}`]),
    ...(downloadRate === undefined ? [] : [`download ${formatOctets(downloadRate)}/s`]),
    ...(uploadRate === undefined ? [] : [`upload ${formatOctets(uploadRate)}/s`]),
    ...(sessionDownloadRate === undefined ? [] : [`download ${sessionRate(sessionDownloadRate)}`]),
    ...(sessionUploadRate === undefined ? [] : [`upload ${sessionRate(sessionUploadRate)}`]),
    ...(idleSeconds === undefined ? [] : [`idle ${formatDuration(idleSeconds)}`]),
  ];
}

/** 0 takes the server's limit off. */
function sessionRate(rate: number): string {
  return rate === 0 ? "per session unlimited" : `${formatOctets(rate)}/s per session`;
}
