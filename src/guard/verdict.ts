/** What the guard answers: yes, or no with the rule that said so, the reply's code, and text for the client. */

export type GuardRule =
  | "address-unreadable"
  | "session-known"
  | "session-unknown"
  | "deny-list"
  | "hosts-access"
  | "banned"
  | "load"
  | "connection-rate"
  | "sessions-per-address"
  | "sessions-per-site"
  | "sessions"
  | "sessions-per-account"
  | "transfers-per-account"
  | "transfers-per-address"
  | "account-banned"
  /** Whoever decides cannot be asked. */
  | "unjudged";

export type Refused = {
  readonly ok: false;
  readonly rule: GuardRule;
  /** 421 ends the session; 530 refuses a login, 450 a transfer (RFC 959 §5.4). */
  readonly code: 421 | 450 | 530;
  /** Which limit, and what to do about it. For the client: names nothing of the host and no reason of a ban. */
  readonly text: string;
};
export type Verdict = { readonly ok: true } | Refused;

export const OK: Verdict = { ok: true };

export function refused(rule: GuardRule, code: Refused["code"], text: string): Refused {
  return { ok: false, rule, code, text };
}
