/** What `set` can set: a table of names, each with its default, what it takes, and one line for people. */
import { didYouMean } from "../../base/nearest.ts";
import { parseOctets } from "../../base/units.ts";
import { DATA_MODES, type DataMode } from "../../client/errors.ts";
import { UsageError } from "./errors.ts";
import { PARALLEL_MOST } from "./limits.ts";
import type { NameRules, RulePair } from "./name-rules.ts";

type Definition = {
  readonly about: string;
  readonly initial: string;
  /** Of what is given, as it is kept; undefined: it cannot be. */
  readonly read: (text: string) => string | undefined;
  readonly takes: string;
  /** A new connection is needed for it. */
  readonly reconnects?: true;
  /** Upper and lower case differ in it. */
  readonly keepsCase?: true;
};

/** Levels of `debug`. */
const DEBUG_MOST = 4;
const YES = new Set(["on", "yes", "true", "1"]);
const NO = new Set(["off", "no", "false", "0"]);

function toggle(about: string, initial: "on" | "off"): Definition {
  return { about, initial, read: readSwitch, takes: "on or off" };
}

function choice(about: string, words: readonly string[]): Definition {
  const read = (text: string): string | undefined => words.find((word) => word === text);
  return { about, initial: words[0] ?? "", read, takes: words.join(", ") };
}

function count(about: string, initial: number): Definition {
  return { about, initial: String(initial), read: readCount, takes: `1 to ${PARALLEL_MOST}` };
}

/** Two words, kept with a tab between them: `ntrans` is for blanks too. */
function rule(about: string, least: 1 | 2): Definition {
  const read = (text: string): string | undefined => readRule(text, least);
  return { about, initial: "off", read, takes: "two words, or off", keepsCase: true };
}

const DEFINITIONS = {
  type: choice("octets as they are, or lines with the line ends of the host", ["binary", "ascii"]),
  parallel: count("files that one command moves at the same time", 4),
  "queue-parallel": count("jobs of the queue that run at the same time", 1),
  rate: {
    about: "octets per second of each transfer",
    initial: "off",
    read: readRate,
    takes: 'a size like "500KiB", or off',
  },
  verify: choice("what must agree after a transfer", ["size", "hash", "off"]),
  exists: choice("what get does with a file that is there", ["overwrite", "skip", "newer", "error"]),
  "keep-time": toggle("files keep their time", "on"),
  hidden: toggle("ls and globs show names that begin with a dot", "off"),
  glob: toggle("mget, mput, mdelete and others understand * and ?", "on"),
  prompt: toggle("mget, mput and mdelete ask about each file", "off"),
  case: toggle("mget and get write names in capitals in small letters", "off"),
  runique: toggle("a file here stays: the new one gets .1, .2 ... behind its name", "off"),
  sunique: toggle("a file of the server stays: the new one gets .1, .2 ...", "off"),
  nmap: rule("how names change, as in $1.$2 $1-new.$2", 2),
  ntrans: rule("characters of names that become others", 1),
  verbose: toggle("shows the replies of the server", "off"),
  debug: {
    about: "0 nothing, 1 refusals, 2 replies, 3 commands too, 4 times too",
    initial: "0",
    read: readLevel,
    takes: "0 to 4, on (3) or off",
  },
  progress: toggle("shows how far transfers have come", "on"),
  bell: toggle("rings after each command that moved files", "off"),
  "continue-on-error": toggle("a script goes on after a command that failed", "off"),
  modes: {
    about: "ways to a data connection, in this order",
    initial: "auto",
    read: readModes,
    takes: `auto, or some of ${DATA_MODES.join(",")}`,
    reconnects: true,
  },
  charset: {
    about: "character set of names",
    initial: "auto",
    read: readCharset,
    takes: "auto, or a name like latin1",
    reconnects: true,
  },
  proxy: {
    about: "the way to the server",
    initial: "off",
    keepsCase: true,
    read: readProxy,
    takes: "off, or a URL that begins with http, https, socks5, socks5h or ftp",
    reconnects: true,
  },
  connections: { ...count("control connections at the same time", 8), reconnects: true },
} as const satisfies Readonly<Record<string, Definition>>;

export type SettingName = keyof typeof DEFINITIONS;

export class Settings {
  readonly #values = new Map<SettingName, string>();

  get(name: SettingName): string {
    return this.#values.get(name) ?? DEFINITIONS[name].initial;
  }

  isOn(name: SettingName): boolean {
    return this.get(name) === "on";
  }

  /** Whether somebody has set it. */
  isChosen(name: SettingName): boolean {
    return this.#values.has(name);
  }

  number(name: SettingName): number {
    return Number(this.get(name));
  }

  /** @returns whether a new connection is needed for it. @throws {UsageError} */
  set(name: string, text: string): boolean {
    const known = settingName(name);
    const definition: Definition = DEFINITIONS[known];
    const value = definition.read(definition.keepsCase === true ? text : text.toLowerCase());
    if (value === undefined) throw new UsageError(`${known} takes ${definition.takes}, not "${text}"`);
    const isNew = value !== this.get(known);
    this.#values.set(known, value);
    return isNew && definition.reconnects === true;
  }

  /** Octets per second; undefined: as many as there can be. */
  rate(): number | undefined {
    const value = this.get("rate");
    return value === "off" ? undefined : parseOctets(value);
  }

  nameRules(): NameRules {
    const [ntrans, nmap] = [pairOf(this.get("ntrans")), pairOf(this.get("nmap"))];
    return { isLowered: this.isOn("case"), ntrans, nmap };
  }

  modes(): readonly DataMode[] | undefined {
    const words = this.get("modes").split(",");
    const modes = DATA_MODES.filter((mode) => words.includes(mode));
    return modes.length === 0 ? undefined : modes.toSorted((left, right) => words.indexOf(left) - words.indexOf(right));
  }

  /** Rows for people: name, value, about. */
  rows(): readonly (readonly string[])[] {
    return settingNames().map((name) => [name, this.get(name).replace("\t", " "), DEFINITIONS[name].about]);
  }
}

function pairOf(text: string): RulePair | undefined {
  const [from = "", to = ""] = text.split("\t");
  return text === "off" ? undefined : { from, to };
}

export function settingNames(): readonly SettingName[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant table
  return Object.keys(DEFINITIONS) as SettingName[];
}

/** @throws {UsageError} */
export function settingName(text: string): SettingName {
  const names = settingNames();
  const wanted = text.toLowerCase();
  const found = names.find((name) => name === wanted);
  const likely = names.filter((name) => name.startsWith(wanted));
  const [only] = likely;
  if (found !== undefined) return found;
  if (only !== undefined && likely.length === 1) return only;
  throw new UsageError(`there is no setting "${text}".${didYouMean(text, names)} See: set`);
}

function readSwitch(text: string): string | undefined {
  if (YES.has(text)) return "on";
  return NO.has(text) ? "off" : undefined;
}

/** Other programs have levels up to 9. */
function readLevel(text: string): string | undefined {
  if (/^[0-9]$/.test(text)) return String(Math.min(DEBUG_MOST, Number(text)));
  const isOn = readSwitch(text);
  return isOn === undefined ? undefined : isOn === "on" ? "3" : "0";
}

function readRule(text: string, least: 1 | 2): string | undefined {
  const words = text.split(text.includes("\t") ? "\t" : /\s+/).filter((word) => word !== "");
  if (words.length === 1 && NO.has(words[0]?.toLowerCase() ?? "")) return "off";
  return words.length >= least && words.length <= 2 ? words.join("\t") : undefined;
}

function readCount(text: string): string | undefined {
  return /^[1-9]\d?$/.test(text) && Number(text) <= PARALLEL_MOST ? text : undefined;
}

function readRate(text: string): string | undefined {
  if (NO.has(text)) return "off";
  const octets = parseOctets(text);
  return octets === undefined || octets < 1 ? undefined : text;
}

function readModes(text: string): string | undefined {
  if (text === "auto") return text;
  const words = text.split(",");
  const known: readonly string[] = DATA_MODES;
  return words.every((word) => known.includes(word)) ? [...new Set(words)].join(",") : undefined;
}

function readCharset(text: string): string | undefined {
  if (text === "auto") return text;
  try {
    return new TextDecoder(text).encoding;
  } catch {
    return undefined;
  }
}

function readProxy(text: string): string | undefined {
  if (NO.has(text)) return "off";
  return URL.canParse(text) && /^(?:https?|socks5h?|ftp):/.test(text) ? text : undefined;
}
