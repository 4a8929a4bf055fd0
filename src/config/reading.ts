/** From what somebody wrote (a TOML value, a variable, a flag) to an option's value, or to a sentence on what is wrong. */
import type { Option } from "../base/option.ts";
import { parseDuration, parseOctets } from "../base/units.ts";

export type Reading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** What is expected where the type alone would say too little. */
const FORMS: Readonly<Record<string, string>> = {
  s: 'expected a time like 90, "90s", "10m" or "1h30m"',
  ports: "expected a port or a range of ports, such as 50000-50100",
  octets: 'expected a size like 4096, "512KiB" or "2MiB"',
};

/**
 * Text can mean a number, a time, a range or a list: the first reading that the option's schema takes counts.
 * @param given text, or what TOML makes of its own forms.
 */
export function readOption(option: Option<unknown>, given: unknown): Reading {
  let problem = "";
  for (const candidate of readings(given, option.unit)) {
    const parsed = option.schema.safeParse(candidate);
    if (parsed.success) return { ok: true, value: parsed.data };
    // A reading of the right type that breaks a bound says more than "expected a number".
    const [issue] = parsed.error.issues;
    if (issue === undefined || (problem !== "" && issue.code === "invalid_type")) continue;
    problem = issue.code === "invalid_type" ? (FORMS[option.unit ?? ""] ?? plainWords(issue)) : plainWords(issue);
  }
  return { ok: false, problem };
}

function* readings(given: unknown, unit: string | undefined): Generator<unknown, void, void> {
  yield given;
  if (typeof given !== "string") return;
  const text = given.trim();
  if (text === "true" || text === "false") yield text === "true";
  const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (range !== null) yield { first: Number(range[1]), last: Number(range[2] ?? range[1]) };
  const quantity = unit === "s" ? parseDuration(text) : unit === "octets" ? parseOctets(text) : wholeNumber(text);
  if (quantity !== undefined) yield quantity;
  yield text === "" ? [] : text.split(",").map((part) => part.trim());
}

function wholeNumber(text: string): number | undefined {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

/** zod's "Too small: expected number to be >=1" as part of a sentence. */
function plainWords({ path, message }: Issue): string {
  const where = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
  return `${where}${message
    .replace(/^Invalid (?:input|option): /, "")
    .replace(/^Too (small|big): /, "too $1, ")
    .replace(/, received \w+$/, "")}`;
}
