/** What a ban is, and how its target is written. */
import { type Network, formatNetwork, parseNetwork, shown } from "./cidr.ts";
import { LONGEST_REASON } from "./limits.ts";

export type BanTarget =
  | { readonly kind: "network"; readonly network: Network }
  | { readonly kind: "account"; readonly name: string };

export type Ban = {
  /** `192.0.2.1`, `2001:db8::/64` or `account:NAME`: one spelling for each target, what `lift` takes. */
  readonly target: string;
  readonly kind: BanTarget["kind"];
  /** For logs and administrators; never sent to a client. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Milliseconds since 1970; undefined: until it is lifted. */
  readonly until: number | undefined;
  /** Made by the guard: such a ban of an account holds only for networks that the account is not known from. */
  readonly automatic: boolean;
  /** The how-manieth automatic ban of this target in a row; 0 for one made by hand. */
  readonly repeat: number;
};

export type GuardEvent =
  /** `sessions` are those that it hits: the server ends them. */
  | { readonly type: "ban"; readonly ban: Ban; readonly sessions: readonly string[] }
  | { readonly type: "lift"; readonly ban: Ban; readonly why: LiftReason };
/** `over`: its time has come; `merged`: a wider ban took its place; `dropped`: there were too many. */
export type LiftReason = "lifted" | "over" | "merged" | "dropped";

export type TargetReading =
  | { readonly ok: true; readonly target: BanTarget }
  | { readonly ok: false; readonly problem: string };

const ACCOUNT = "account:";

/** An address, a network, or `account:NAME`. */
export function parseBanTarget(text: string): TargetReading {
  if (text.startsWith(ACCOUNT)) {
    const name = text.slice(ACCOUNT.length);
    if (name !== "") return { ok: true, target: { kind: "account", name } };
    return { ok: false, problem: "write the account's name behind account:" };
  }
  const reading = parseNetwork(text);
  if (reading.ok) return { ok: true, target: { kind: "network", network: reading.network } };
  const isName = /^[\w-]+$/.test(text);
  const hint = isName ? `; an account is written ${ACCOUNT}${shown(text)}` : `, or ${ACCOUNT}NAME`;
  return { ok: false, problem: reading.problem + hint };
}

export function formatBanTarget(target: BanTarget): string {
  return target.kind === "account" ? ACCOUNT + target.name : formatNetwork(target.network);
}

/** A reason in one line, as far as it is kept. */
export function cleanReason(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, LONGEST_REASON);
}
