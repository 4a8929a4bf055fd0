/**
 * Why no data connection came about, told from what was seen: which ports were silent, closed or refused, on whose side
 * something has to be opened, and whether helpers on the way could have seen what they would have to open.
 */
import type { DataAttempt, DataMode } from "./errors.ts";
import { isPrivateAddress } from "./external-address.ts";

/** Sentences that `describeProfile` says too. */
export const OPEN_PASSIVE =
  "At the server: set a range of passive ports, open it in its firewall, and forward it if there is a NAT.";
export const NAME_PUBLIC = "At the server: set its public address for passive mode, or leave PASV to EPSV.";

/** Words of `DataAttempt.outcome` by which attempts are told apart. */
export const OUTCOMES = {
  silent: "no answer",
  closed: "connection refused",
  noWay: "no way there",
  /** Active mode. */
  absent: "the server did not connect",
  /** A 425 after the command of the transfer. */
  unused: "the server could not use it",
} as const;

export type Blockade = {
  readonly tried: readonly DataAttempt[];
  readonly server: string;
  /** The control connection is TLS. */
  readonly isTls: boolean;
  /** Between us and the server is a router that does not let it in by itself. */
  readonly isBehindRouter: boolean;
  /** What the router said to our question for a port, if it was asked. */
  readonly router: string | undefined;
};

/** At most five lines, each a sentence. */
export function adviceOn({ tried, server, isTls, isBehindRouter, router }: Blockade): string {
  const [passive, active] = [tried.filter(isPassive), tried.filter((attempt) => !isPassive(attempt))];
  const lines = [
    ...passiveAdvice(passive, server),
    ...activeAdvice(active, { isBehindRouter, router }),
    ...(isTls && tried.some(isOnTheWay)
      ? ["Firewalls and NATs that open ports by reading FTP cannot help here: the control connection is TLS."]
      : []),
  ];
  return lines.length === 0 ? "`ferryman doctor URL` tries each data mode and tells more." : lines.join("\n");
}

function isPassive({ mode }: { readonly mode: DataMode }): boolean {
  return mode === "epsv" || mode === "pasv";
}

/** It failed between the two, and not by a word of the server's. */
function isOnTheWay({ outcome }: DataAttempt): boolean {
  return !isRefused({ outcome });
}

function isRefused({ outcome }: Pick<DataAttempt, "outcome">): boolean {
  return outcome.startsWith("refused (");
}

function passiveAdvice(passive: readonly DataAttempt[], server: string): readonly string[] {
  if (passive.length === 0) return [];
  if (passive.every(isRefused)) return ["The server refuses passive mode."];
  const outcomes = new Set(passive.map(({ outcome }) => outcome));
  const named = passive.find((attempt) => attempt.named !== undefined)?.named;
  const what = outcomes.has(OUTCOMES.silent)
    ? `The passive ports of ${server} do not answer: a firewall on the way swallows them.`
    : outcomes.has(OUTCOMES.closed)
      ? `The passive ports of ${server} are closed: its firewall rejects them, or its NAT does not forward them.`
      : `The passive ports of ${server} cannot be used.`;
  return [what, OPEN_PASSIVE, ...(named === undefined ? [] : [`${namedWrongly(named)} ${NAME_PUBLIC}`])];
}

function namedWrongly(named: string): string {
  return `Its 227 names ${isPrivateAddress(named) ? "the private address" : "the address"} ${named}, which was not used.`;
}

function activeAdvice(
  active: readonly DataAttempt[],
  { isBehindRouter, router }: Pick<Blockade, "isBehindRouter" | "router">,
): readonly string[] {
  const last = active.at(-1);
  if (last === undefined) return [];
  if (active.every(isRefused) && !isBehindRouter) return ["The server refuses active mode."];
  if (!isBehindRouter) {
    return [
      "The server does not reach this machine: a firewall here must let it in (activePorts says where), or passive mode be used.",
    ];
  }
  const asked = router === undefined ? "" : `; ${router}`;
  return [
    `The server does not reach this machine behind its router${asked}: forward ports to it (activePorts, activeAddress).`,
  ];
}
