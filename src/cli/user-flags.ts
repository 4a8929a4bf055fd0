/** The flags of `ferryman user add` and `mod`: read with words that help, and turned into a change of the users file. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FolderRule, Rights } from "../account/account.ts";
import type { UserChange } from "../account/edit-users.ts";
import { PRESETS, parseRights } from "../account/rights.ts";
import { LIMIT_KEYS } from "../account/users-toml.ts";
import { CliError, EXIT } from "./exit.ts";
import { didYouMean } from "../base/nearest.ts";

export type FileFlags = {
  readonly users?: string;
  readonly json?: true;
  readonly passwordStdin?: true;
  readonly hashStdin?: true;
};
export type AccountFlags = FileFlags & {
  /** `false`: --no-home. */
  readonly home?: string | false;
  readonly createHome?: true;
  readonly rights?: Rights;
  readonly folder?: readonly FolderRule[];
  readonly removeFolder?: readonly string[];
  readonly limit?: Readonly<Record<string, string | number | null>>;
  readonly disable?: true;
  readonly enable?: true;
  readonly expires?: string | false;
  readonly tls?: string | false;
};

const PRESET_WORDS = Object.keys(PRESETS).join(", ");

/** Flags that `add` and `passwd` share. */
export function passwordFlags(command: Command): Command {
  return command
    .option("--password-stdin", "read the password from standard input")
    .addOption(
      new Option(
        "--hash-stdin",
        "read a hash of elsewhere from standard input ($6$, $y$, $2b$ …), or its line of /etc/shadow",
      ).conflicts("passwordStdin"),
    );
}

/** Flags that `add` and `mod` share. */
export function accountFlags(command: Command): Command {
  return command
    .option("--home <DIR>", "the folder that the account sees as /", readHome)
    .option("--create-home", "make the home folder if it is not there")
    .option("--rights <RIGHTS>", `a preset (${PRESET_WORDS}) or a list such as list,read,mkdir`, readRights)
    .option("--folder <PATTERN=RIGHTS>", "other rights below a folder, /in/** or *.exe (repeatable)", collectFolder)
    .option("--limit <KEY=VALUE>", `${LIMIT_KEYS.join(", ")}; VALUE none takes it away (repeatable)`, collectLimit)
    .addOption(new Option("--disable", "refuse logins").conflicts("enable"))
    .option("--tls <LEVEL>", "TLS that this account needs: require (to sign in), require-data (for files too)")
    .option("--expires <DATE>", "refuse logins from this day on, 2027-01-31 (midnight UTC)");
}

/** Flags of `mod` alone: what takes something away. */
export function removalFlags(command: Command): Command {
  return command
    .option("--no-home", "see the folder that the server serves")
    .option("--no-expires", "never expire")
    .option("--no-tls", "no TLS beyond what the server asks of all")
    .option("--remove-folder <PATTERN>", "take a folder rule away (repeatable)", collect)
    .addOption(new Option("--enable", "let the account sign in again").conflicts("disable"));
}

export function changeOf(flags: AccountFlags): UserChange {
  const { home, rights, folder, removeFolder, limit, disable, enable, expires, tls } = flags;
  return {
    ...(home === undefined ? {} : { home: home === false ? null : home }),
    ...(rights === undefined ? {} : { rights }),
    ...(disable === true ? { disabled: true } : {}),
    ...(enable === true ? { disabled: false } : {}),
    ...(tls === undefined ? {} : { tls: tlsLevel(tls) }),
    ...(expires === undefined ? {} : { expires: expires === false ? null : expires }),
    ...(folder === undefined ? {} : { folders: folder }),
    ...(removeFolder === undefined ? {} : { removedFolders: removeFolder }),
    ...(limit === undefined ? {} : { limits: limit }),
  };
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function collectFolder(text: string, before: readonly FolderRule[] = []): readonly FolderRule[] {
  // A pattern may hold "=", rights never do.
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write PATTERN=RIGHTS, such as '/incoming/**=drop'.");
  return [...before, { pattern: text.slice(0, at), rights: readRights(text.slice(at + 1)) }];
}

type Limits = Readonly<Record<string, string | number | null>>;

function collectLimit(text: string, before: Limits = {}): Limits {
  const [key = "", ...rest] = text.split("=");
  const value = rest.join("=").trim();
  if (!LIMIT_KEYS.includes(key)) {
    throw new InvalidArgumentError(
      `There is no limit "${key}".${didYouMean(key, LIMIT_KEYS)} Known: ${LIMIT_KEYS.join(", ")}.`,
    );
  }
  if (value === "") throw new InvalidArgumentError(`Write ${key}=VALUE, or ${key}=none for no limit.`);
  return { ...before, [key]: value === "none" ? null : /^\d{1,15}$/.test(value) ? Number(value) : value };
}

function readHome(text: string): string {
  if (text === "") throw new InvalidArgumentError("Name a folder.");
  return resolve(text);
}

function readRights(text: string): Rights {
  try {
    return parseRights(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [first = "", ...others] = error.message;
    throw new InvalidArgumentError(`${first.toUpperCase()}${others.join("")}.`);
  }
}

function tlsLevel(text: string | false): "require" | "require-data" | null {
  if (text === false) return null;
  if (text === "require" || text === "require-data") return text;
  throw new CliError(`--tls ${text}: expected require or require-data`, EXIT.usage);
}
