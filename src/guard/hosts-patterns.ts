/** Lists of patterns with EXCEPT, as hosts_access(5) has them, in a logic of yes, no and unknown. */
import { type Address, type Network, covers, formatAddress, parseNetwork, shown } from "./cidr.ts";

export type Match = "yes" | "no" | "unknown";
/** One pattern; what is `unknown` for every address says why. */
export type Pattern =
  | { readonly kind: "all" }
  | { readonly kind: "network"; readonly network: Network }
  /** `*` and `?` over the digits and dots of an IPv4 address. */
  | { readonly kind: "wildcard"; readonly text: string }
  /** This machine; other hosts with a short name cannot be told without looking names up. */
  | { readonly kind: "local" }
  | { readonly kind: "unknown"; readonly problem: string };
/** `a EXCEPT b EXCEPT c` is three lists: in a and not in (b and not in c). */
export type PatternLists = readonly (readonly Pattern[])[];

const LOOPBACK: readonly Network[] = ["127.0.0.0/8", "::1"].flatMap((text) => {
  const reading = parseNetwork(text);
  return reading.ok ? [reading.network] : [];
});

export function isMatch(lists: PatternLists, address: Address): Match {
  return exceptions(lists.map((list) => any(list.map((pattern) => matches(pattern, address)))));
}

/** @param outcomes of the lists from left to right. */
export function exceptions(outcomes: readonly Match[]): Match {
  return (
    outcomes.reduceRight<Match | undefined>(
      (rest, outcome) => (rest === undefined ? outcome : both(outcome, not(rest))),
      undefined,
    ) ?? "no"
  );
}

export function any(outcomes: readonly Match[]): Match {
  if (outcomes.includes("yes")) return "yes";
  return outcomes.includes("unknown") ? "unknown" : "no";
}

/** Splits a list at blanks and commas, and at EXCEPT into the lists that except one another. */
export function wordLists(text: string): readonly (readonly string[])[] {
  const lists: string[][] = [[]];
  for (const word of text.split(/[\s,]+/)) {
    if (word === "") continue;
    if (word.toUpperCase() === "EXCEPT") lists.push([]);
    else lists.at(-1)?.push(word);
  }
  return lists;
}

/** One word of a client list. */
export function parsePattern(word: string): Pattern {
  const upper = word.toUpperCase();
  if (upper === "ALL" || word === "*") return { kind: "all" };
  if (upper === "LOCAL") return { kind: "local" };
  if (upper === "KNOWN" || upper === "UNKNOWN" || upper === "PARANOID") {
    return unknown(`${upper} needs names looked up, which is not done`);
  }
  if (word.startsWith("@")) return unknown(`"${shown(word)}": netgroups are not looked up; write the networks`);
  if (word.includes("@")) return unknown(`"${shown(word)}": who the client's user is cannot be known; write the host`);
  if (word.startsWith("/")) return unknown(`"${shown(word)}": files of patterns are not read; write the networks here`);
  return addressPattern(word);
}

/** `192.168.`, `192.0.2.0/255.255.255.0`, `192.0.2.0/24`, `[2001:db8::]/32`, `192.168.*`, or a name that nobody looks up. */
function addressPattern(word: string): Pattern {
  const bracketed = /^\[([^\][]*)\](\/\d+)?$/.exec(word);
  if (bracketed !== null) return networkPattern(`${bracketed[1]}${bracketed[2] ?? ""}`);
  const octets = /^((?:\d{1,3}\.){1,3})$/.exec(word)?.[1];
  if (octets !== undefined) {
    const count = octets.split(".").length - 1;
    return networkPattern(
      `${octets}${Array(4 - count)
        .fill("0")
        .join(".")}/${count * 8}`,
    );
  }
  const masked = /^([\d.]+)\/(\d+\.\d+\.\d+\.\d+)$/.exec(word);
  if (masked !== null) {
    const prefix = prefixOfMask(masked[2] ?? "");
    if (prefix === undefined) return unknown(`"${shown(word)}": the mask is none; write it like 255.255.255.0`);
    return networkPattern(`${masked[1]}/${prefix}`);
  }
  if (/^[\d.*?]+$/.test(word) && /[*?]/.test(word)) return { kind: "wildcard", text: word };
  if (/^[\d.]+(?:\/.*)?$/.test(word) || word.includes(":") || word.includes("[")) return networkPattern(word);
  return unknown(`"${shown(word)}" is a name, and names are not looked up; write its address or network`);
}

function networkPattern(text: string): Pattern {
  const reading = parseNetwork(text);
  return reading.ok ? { kind: "network", network: reading.network } : unknown(reading.problem);
}

function prefixOfMask(mask: string): number | undefined {
  const reading = parseNetwork(mask);
  if (!reading.ok) return undefined;
  const bits = reading.network.value.toString(2).padStart(32, "0");
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}

function matches(pattern: Pattern, address: Address): Match {
  switch (pattern.kind) {
    case "all":
      return "yes";
    case "network":
      return covers(pattern.network, address) ? "yes" : "no";
    case "wildcard":
      return address.family === "ipv4" && isLike(formatAddress(address), pattern.text) ? "yes" : "no";
    case "local":
      return LOOPBACK.some((network) => covers(network, address)) ? "yes" : "unknown";
    default:
      return "unknown";
  }
}

/** `*` and `?` as a shell has them, in time that grows with the product of the lengths at most. */
export function isLike(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[next] === "*") {
      star = next++;
      resume = at;
    } else if (pattern[next] === "?" || pattern[next] === text[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++resume;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(next));
}

function both(one: Match, other: Match): Match {
  if (one === "no" || other === "no") return "no";
  return one === "yes" && other === "yes" ? "yes" : "unknown";
}

function not(match: Match): Match {
  return match === "unknown" ? "unknown" : match === "yes" ? "no" : "yes";
}

function unknown(problem: string): Pattern {
  return { kind: "unknown", problem };
}
