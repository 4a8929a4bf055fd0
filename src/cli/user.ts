/** `ferryman user`: keeps the accounts of a users file. Passwords come from a terminal or standard input, never from argv. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { AccountError, type FolderRule, type Rights } from "../account/account.ts";
import { type UserChange, UserEditError, addUser, deleteUser, modifyUser, setPassword } from "../account/edit-users.ts";
import { readUsers } from "../account/file.ts";
import { nameProblem } from "../account/names.ts";
import { PASSWORDS } from "../account/passwords.ts";
import { FileLocked } from "../account/replace-file.ts";
import { PRESETS, formatRights, parseRights } from "../account/rights.ts";
import { LIMIT_KEYS, type UserEntry, type Users, findingLines } from "../account/users-toml.ts";
import { didYouMean } from "../base/nearest.ts";
import { CliError, EXIT } from "./exit.ts";
import { type PasswordSource, newPassword } from "./new-password.ts";
import { printable, userCard, userJson, userTable } from "./user-table.ts";
import { USERS_FILE_HELP, usersFile } from "./users-file.ts";

/** Where the command reads and writes; tests give their own. */
export type UserIo = PasswordSource & {
  readonly stdout: NodeJS.WritableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

type FileFlag = { readonly users?: string };
type AccountFlags = FileFlag & {
  readonly home?: string | false;
  readonly createHome?: true;
  readonly rights?: Rights;
  readonly folder?: readonly FolderRule[];
  readonly removeFolder?: readonly string[];
  readonly limit?: Readonly<Record<string, string | number | null>>;
  readonly disable?: true;
  readonly enable?: true;
  readonly expires?: string | false;
  readonly passwordStdin?: true;
};

const EXAMPLES = `
${USERS_FILE_HELP}

Examples:
  ferryman user add ann --users users.toml --home /srv/ftp/ann --create-home
  ferryman user add bob --rights read --limit sessions=2 --limit download-rate=2MiB
  ferryman user mod ann --folder '/incoming/**=drop' --expires 2027-01-31
  ferryman user mod bob --disable
  pass show ftp/ann | ferryman user passwd ann --password-stdin
  ferryman user list --json

Exit codes: 0 ok, 1 failed, 2 wrong usage, 75 try again later, 77 not permitted, 78 wrong configuration`;

/** The sub-command; its actions throw CliError. */
export function userCommand(io: UserIo = process.env["FERRYMAN_TEST_IO"] === undefined ? standardIo() : standardIo()): Command {
  const user = new Command("user").description("Keep the accounts of a users file.").addHelpText("after", EXAMPLES);
  const sub = (name: string, about: string): Command =>
    user
      .command(name)
      .description(about)
      .option("--file, --users <FILE>", "the users file (see: ferryman user --help)");
  accountFlags(sub("add <NAME>", "make an account; asks for its password"))
    .option("--create-home", "make the home folder if it is not there")
    .action(async (name: string, flags: AccountFlags) => await told(async () => await add(name, flags, io)));
  accountFlags(sub("mod <NAME>", "change what is given, and nothing else"))
    .option("--no-home", "serve the folder that the server serves")
    .option("--no-expires", "never expire")
    .option("--remove-folder <PATTERN>", "take a folder rule away (repeatable)", collect, [])
    .addOption(new Option("--enable", "let the account sign in again").conflicts("disable"))
    .option("--create-home", "make the home folder if it is not there")
    .action(async (name: string, flags: AccountFlags) => await told(async () => await mod(name, flags, io)));
  sub("del <NAME>", "remove an account; its home stays")
    .action(async (name: string, flags: FileFlag) => await told(async () => await del(name, flags, io)));
  sub("passwd <NAME>", "set another password")
    .option("--password-stdin", "read it from standard input")
    .action(async (name: string, flags: AccountFlags) => await told(async () => await passwd(name, flags, io)));
  sub("list", "all accounts")
    .option("--json", "as JSON")
    .action(async (flags: FileFlag & { json?: true }) => await told(async () => await list(flags, io)));
  sub("show <NAME>", "one account in full, without its password")
    .option("--json", "as JSON")
    .action(async (name: string, flags: FileFlag & { json?: true }) => await told(async () => await show(name, flags, io)));
  return user;
}
