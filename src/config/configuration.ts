/**
 * The configuration of a run: defaults < file < environment < flags. Everything that is wrong with it is found at
 * once, and each finding says where it stands, what is allowed, and which name was probably meant.
 */
import { readFile } from "node:fs/promises";
import { TomlError, parse } from "smol-toml";
import { didYouMean } from "../base/nearest.ts";
import type { OptionTable } from "../base/option.ts";
import { keyLines } from "./key-lines.ts";
import { readOption } from "./reading.ts";
import { type Configuration, SECTIONS, dashed, variable } from "./sections.ts";
import { LARGEST_FILE, STANDARD_FILE } from "./standard-file.ts";

/** Variables that are no options. FERRYMAN_TEST_… belong to our own tests. */
const RESERVED = /^FERRYMAN_(?:CONFIG|CONFINED|DEBUG|FFI|USERS|TEST_\w+)$/;

export type ConfigurationSources = {
  /** From --config: must exist. */
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** By section and key, as text; absent ones are undefined. */
  readonly flags?: {
    readonly [Name in keyof Configuration]?: { readonly [Key in keyof Configuration[Name]]?: unknown };
  };
  /** Read when no file is named, and allowed to be absent. */
  readonly standardFile?: string;
};

/** `findings` are lines for people. The command line ends with 78 on it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly findings: readonly string[];

  constructor(findings: readonly string[]) {
    super(findings.join("\n"));
    this.findings = findings;
  }
}

type Given = { readonly value: unknown; readonly where: string };
type Draft = { readonly values: Map<string, Given>; readonly findings: string[] };

/** The sections as a plain table, for looking up names that somebody wrote. */
const TABLES: Readonly<Record<string, OptionTable>> = SECTIONS;

/** @throws {ConfigurationError} with all findings. */
export async function loadConfiguration(sources: ConfigurationSources = {}): Promise<Configuration> {
  const environment = sources.environment ?? {};
  const draft: Draft = { values: new Map(), findings: [] };
  const named = sources.file ?? environment["FERRYMAN_CONFIG"];
  const file = named ?? sources.standardFile ?? STANDARD_FILE;
  const text = await readText(file, named !== undefined);
  if (text !== undefined) takeFile(draft, file, text);
  takeEnvironment(draft, environment);
  for (const [section, values] of Object.entries(sources.flags ?? {})) {
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined) draft.values.set(`${section}.${key}`, { value, where: `--${dashed(key)}` });
    }
  }
  return settle(draft);
}

async function readText(file: string, mustExist: boolean): Promise<string | undefined> {
  try {
    const octets = await readFile(file);
    if (octets.length <= LARGEST_FILE) return octets.toString("utf8");
    throw new ConfigurationError([`${file}: larger than 1 MiB; is this the right file?`]);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (typeof code !== "string") throw error;
    if (code === "ENOENT" && !mustExist) return undefined;
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "no right to read it" : code;
    throw new ConfigurationError([`${file}: ${why}`]);
  }
}

function takeFile(draft: Draft, file: string, text: string): void {
  const lines = keyLines(text);
  for (const [section, content] of Object.entries(parseToml(file, text))) {
    const at = `${file}:${lines.get(section) ?? 1}`;
    const table = Object.hasOwn(TABLES, section) ? TABLES[section] : undefined;
    if (table === undefined) {
      const known = Object.keys(TABLES);
      draft.findings.push(
        `${at}: unknown section "${section}".${didYouMean(section, known)} Known: ${known.join(", ")}`,
      );
    } else if (!isTable(content)) {
      draft.findings.push(`${at}: "${section}" is a section: write [${section}] on a line of its own`);
    } else {
      for (const [name, value] of Object.entries(content)) {
        const where = `${file}:${lines.get(`${section}.${name}`) ?? 1}: ${name}`;
        const key = Object.keys(table).find((each) => dashed(each) === name);
        if (key === undefined) draft.findings.push(`${where}: ${unknownKey(section, name)}`);
        else draft.values.set(`${section}.${key}`, { value, where });
      }
    }
  }
}

function parseToml(file: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new ConfigurationError([`${file}:${error.line}:${error.column}: not TOML: ${first}`]);
  }
}

function unknownKey(section: string, name: string): string {
  const table = TABLES[section] ?? {};
  const elsewhere = Object.entries(TABLES).find(([, other]) => Object.keys(other).some((key) => dashed(key) === name));
  if (elsewhere !== undefined) return `belongs under [${elsewhere[0]}], not [${section}]`;
  return `unknown key in [${section}].${didYouMean(name, Object.keys(table).map(dashed))}`;
}

function takeEnvironment(draft: Draft, environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Map<string, string>();
  for (const [section, table] of Object.entries(TABLES)) {
    for (const key of Object.keys(table)) known.set(variable(key), `${section}.${key}`);
  }
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("FERRYMAN_") || RESERVED.test(name) || value === undefined) continue;
    const path = known.get(name);
    if (path === undefined) draft.findings.push(`environment: unknown ${name}.${didYouMean(name, known.keys())}`);
    else draft.values.set(path, { value, where: `environment: ${name}` });
  }
}

function settle(draft: Draft): Configuration {
  const configuration: Record<string, Record<string, unknown>> = {};
  for (const [section, table] of Object.entries(TABLES)) {
    const values: Record<string, unknown> = {};
    for (const [key, option] of Object.entries(table)) {
      const given = draft.values.get(`${section}.${key}`);
      const reading = readOption(option, given?.value);
      if (reading.ok) values[key] = reading.value;
      else draft.findings.push(`${given?.where ?? key}: ${JSON.stringify(given?.value)}: ${reading.problem}`);
    }
    configuration[section] = values;
  }
  if (draft.findings.length > 0) throw new ConfigurationError(draft.findings);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value has just passed its own schema
  return configuration as Configuration;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
