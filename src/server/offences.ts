/** What a session does that weighs towards a ban (guard/offences.ts has the points). Facts of commands and refusals alone. */
import type { ByteString } from "../base/bytes.ts";
import type { Offence } from "../guard/offences.ts";
import { type VirtualPath, pathParts } from "../protocol/path.ts";
import type { Session } from "./session.ts";

/** By the rule that refused. */
const BY_RULE: ReadonlyMap<string, Offence> = new Map([
  ["active.foreign-address", "bounce"],
  ["active.low-port", "bounce"],
]);

/** Steps above the root that nobody takes by mistake: `cd ..` at the root, and a script's `../..`, are met every day. */
const STEPS_ABOVE_ROOT = 3;

export function offenceOfRule(rule: string): Offence | undefined {
  return BY_RULE.get(rule);
}

/** Whether an argument tries to climb out of the jail. It cannot (RFC 3659 §6.2), but who tries means no good. */
export function isTraversal(session: Session, argument: ByteString): boolean {
  return session.step === "signed-in" && stepsAboveRoot(session.cwd, argument) >= STEPS_ABOVE_ROOT;
}

function stepsAboveRoot(cwd: VirtualPath, argument: ByteString): number {
  if (!argument.includes("../..")) return 0;
  let depth = argument.startsWith("/") ? 0 : pathParts(cwd).length;
  let above = 0;
  for (const part of argument.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) {
      above += 1;
      depth = 0;
    }
  }
  return above;
}
