/** Who may come in to `ferryman serve`: the stores in the order in which they are asked, and the same for the first screen. */
import { PROGRAM, serveAgain } from "./program.ts";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Account, AccountError, type AccountStore } from "../account/account.ts";
import { createAnonymousAccounts } from "../account/anonymous.ts";
import { createFileAccounts, readUsers } from "../account/file.ts";
import { createFixedAccounts, parseFixedAccount } from "../account/fixed.ts";
import { type Passwords, createPasswords } from "../account/passwords.ts";
import { hashNotes } from "../account/hash-forms.ts";
import { formatRights } from "../account/rights.ts";
import { type User, accountOf, findingLines } from "../account/users-toml.ts";
import type { Configuration } from "../config/sections.ts";
import { CliError, EXIT } from "./exit.ts";
import { unusedFolder } from "./home-notes.ts";
import type { Access } from "./start-screen.ts";

export type ServedAccounts = {
  readonly stores: readonly AccountStore[];
  readonly passwords: Passwords;
  readonly access: readonly Access[];
  /** The folders that accounts have, for the workers that serve them. */
  readonly homes: readonly Home[];
  /** Sentences for people about accounts that cannot sign in until the users file is mended, and about weak hashes. */
  readonly warnings: readonly string[];
};

export type Home = { readonly who: string; readonly folder: string; readonly writes: boolean };

type Known = { readonly accounts: readonly Account[]; readonly warnings: readonly string[] };

/** Rights in words for the first screen. */
const WORDS: Readonly<Record<string, string>> = {
  read: "list, read",
  drop: "leave files",
  fetch: "read by name",
  write: "read, write",
  full: "everything",
  none: "nothing",
};

/** @param folder the served one: home of guests and of users without their own. @throws {CliError} */
export async function accountsOf({ serve, account }: Configuration, folder: string): Promise<ServedAccounts> {
  const passwords = createPasswords({
    cost: { memory: account.passwordMemory, passes: account.passwordPasses, lanes: 1 },
    atOnce: account.passwordChecks,
    waiting: account.passwordQueue,
  });
  try {
    const flagged = serve.user.map((text) => parseFixedAccount(text, folder));
    const filed = serve.users === undefined ? undefined : await knownUsers(serve.users, folder);
    const mode = guestMode(serve, flagged.length > 0 || filed !== undefined);
    const guests = mode === "off" ? [] : [{ who: "anonymous", may: WORDS[mode] ?? mode, folder }];
    const named = [...flagged.map((each) => each.account), ...(filed?.accounts ?? [])];
    const homes = [...guestHomes(mode, folder), ...named.map(homeOf)];
    return {
      stores: [
        ...(flagged.length === 0 ? [] : [await createFixedAccounts(flagged, { passwords })]),
        ...fileStores(serve.users, { folder, passwords }),
        ...(mode === "off" ? [] : [createAnonymousAccounts({ home: folder, mode })]),
      ],
      passwords,
      access: [...guests, ...named.map(accessOf)],
      homes,
      warnings: [
        ...(filed?.warnings ?? []),
        ...unusedFolder(homes, { folder, given: serve.folder, users: serve.users }),
      ],
    };
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    throw new CliError(error.message, EXIT.configuration);
  }
}

/** @throws {CliError} when nobody could sign in. */
function guestMode({ anonymous }: Configuration["serve"], hasUsers: boolean): "off" | "read" | "drop" {
  const mode = anonymous ?? (hasUsers ? "off" : "read");
  if (mode !== "off" || hasUsers) return mode;
  throw new CliError(
    "Nobody could sign in: guests are off, and no account is given.\n" +
      `  An account:   ${PROGRAM} user add NAME --users users.toml\n` +
      `  Then serve:   ${serveAgain({ more: ["--users", "users.toml"] })}\n` +
      `  Accounts that ${PROGRAM} user add has made before lie where it said; name that file with --users`,
    EXIT.configuration,
  );
}

function fileStores(
  users: string | undefined,
  { folder, passwords }: { readonly folder: string; readonly passwords: Passwords },
): readonly AccountStore[] {
  return users === undefined ? [] : [createFileAccounts(resolve(users), { defaultHome: folder, passwords })];
}

/** Read once at the start, so that a broken file is told now and not at the first login. */
async function knownUsers(users: string, folder: string): Promise<Known> {
  if (!existsSync(users)) {
    throw new CliError(
      `There is no ${users}. Make it with: ${PROGRAM} user add NAME --users ${users}`,
      EXIT.configuration,
    );
  }
  const good: User[] = [];
  const warnings: string[] = [];
  for (const entry of (await readUsers(resolve(users))).values()) {
    if (entry.kind === "good") good.push(entry.user);
    else warnings.push(...findingLines(users, entry.findings).map((line) => `This account cannot sign in: ${line}`));
  }
  return {
    accounts: good.map((user) => accountOf(user, folder)),
    warnings: [...warnings, ...(await hashNotes(good))],
  };
}

function guestHomes(mode: string, folder: string): readonly Home[] {
  return mode === "off" ? [] : [{ who: "anonymous", folder, writes: mode === "drop" }];
}

function homeOf({ name, home, rights, folders }: Account): Home {
  const all = [rights, ...folders.map((rule) => rule.rights)];
  const writes = all.some((each) => [...each].some((right) => right !== "list" && right !== "read"));
  return { who: name, folder: home, writes };
}

function accessOf({ name, rights, folders, home }: Account): Access {
  const words = formatRights(rights);
  const may = WORDS[words] ?? words.replaceAll(",", ", ");
  return { who: name, may: folders.length > 0 ? `${may} (by folder)` : may, folder: home };
}
