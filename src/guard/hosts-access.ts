/**
 * The rules of hosts.allow and hosts.deny (man 5 hosts_access, hosts_options), asked by address alone: no names are
 * looked up, because whoever owns an address owns its name too. What cannot be told is "unknown" and never opens the
 * gate: a rule that allows wants a sure match, one that denies takes an unsure one (attack 40).
 */
import { parseAddress } from "./cidr.ts";
import { type HostsProblem, type HostsRule, parseHostsRules } from "./hosts-rules.ts";
import { isMatch } from "./hosts-patterns.ts";

export type { HostsProblem } from "./hosts-rules.ts";

/** A file's text, and its name for messages. */
export type HostsFile = { readonly name: string; readonly text: string };

export type HostsDecision =
  | { readonly allowed: true }
  /** `rule`: file and line, for the log. */
  | { readonly allowed: false; readonly rule: string };

/** What the server may be called in these files. */
const DAEMONS: readonly string[] = ["ferryman", "ftpd", "vsftpd", "in.ftpd"];

export class HostsAccess {
  /** Errors (of the deny file: do not start with them) and warnings, in the order of the lines. */
  readonly problems: readonly HostsProblem[];
  readonly #rules: readonly HostsRule[];

  constructor({ allow, deny }: { readonly allow?: HostsFile | undefined; readonly deny?: HostsFile | undefined }) {
    const allowed = allow === undefined ? undefined : parseHostsRules(allow, { opens: true, daemons: DAEMONS });
    const denied = deny === undefined ? undefined : parseHostsRules(deny, { opens: false, daemons: DAEMONS });
    this.#rules = [...(allowed?.rules ?? []), ...(denied?.rules ?? [])];
    this.problems = [...(allowed?.problems ?? []), ...(denied?.problems ?? [])];
  }

  /** The first rule that matches decides: all of the allow file, then all of the deny file; without one, let in. */
  decide(address: string): HostsDecision {
    const parsed = parseAddress(address);
    if (parsed === undefined) return { allowed: false, rule: "the address cannot be read" };
    for (const { opens, clients, where } of this.#rules) {
      const match = isMatch(clients, parsed);
      if (opens && match === "yes") return { allowed: true };
      if (!opens && match !== "no") return { allowed: false, rule: where };
    }
    return { allowed: true };
  }
}
