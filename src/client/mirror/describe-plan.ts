/** A plan for people: its counts in a few lines, for what `--dry-run` says at the end. */
import { printable } from "../errors.ts";
import type { Plan, Step } from "./types.ts";

const WORDS: Readonly<Record<Step["kind"], readonly [one: string, many: string]>> = {
  copy: ["file to copy", "files to copy"],
  replace: ["file to replace", "files to replace"],
  "make-folder": ["folder to make", "folders to make"],
  "make-link": ["link to make", "links to make"],
  "set-time": ["time to set", "times to set"],
  "set-mode": ["mode to set", "modes to set"],
  "delete-file": ["file to delete", "files to delete"],
  "delete-folder": ["folder to delete", "folders to delete"],
};
const ORDER = Object.keys(WORDS).filter((key): key is Step["kind"] => key in WORDS);

/** Lines without line ends. */
export function describePlan({
  counts,
  failures,
  deletesHeld,
}: Omit<Plan, "steps" | typeof Symbol.asyncDispose>): readonly string[] {
  const lines = ORDER.filter((kind) => counts[kind] > 0).map((kind) => {
    const count = counts[kind];
    return `${count.toLocaleString("en")} ${WORDS[kind][count === 1 ? 0 : 1]}`;
  });
  if (counts.octets > 0) lines.push(`${counts.octets.toLocaleString("en")} octets to move`);
  if (lines.length === 0) lines.push("nothing to do");
  lines.push(`${counts.same.toLocaleString("en")} the same, ${counts.excluded.toLocaleString("en")} left out`);
  if (failures > 0) lines.push(`${failures.toLocaleString("en")} cannot be done`);
  if (deletesHeld !== undefined) lines.push(`nothing extra would be deleted: ${deletesHeld}`);
  return lines;
}

/** One step as a line, as `copy a/b.txt (new, 12 octets)`; fit for a terminal. */
export function describeStep(step: Step): string {
  // The mirrored folder itself has no name below itself.
  const path = step.path === "" ? "./ (the folder itself)" : printable(step.path);
  if (step.kind === "make-link") return `make-link ${path} -> ${printable(step.target)}`;
  if (step.kind !== "copy" && step.kind !== "replace") return `${step.kind} ${path}`;
  const size = step.size === undefined ? "" : `, ${step.size.toLocaleString("en")} octets`;
  const resumed = step.resume === undefined ? "" : `, ${step.resume.toLocaleString("en")} of them are there`;
  return `${step.kind} ${path} (${step.why}${size}${resumed})`;
}
