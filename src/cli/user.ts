/** `ferryman user`: keeps the accounts of a users file. Passwords come from a terminal or standard input, never from argv. */
import { Command } from "commander";
import { CliError, EXIT } from "./exit.ts";
import { type UserIo, add, del, list, mod, passwd, show, told } from "./user-actions.ts";
import { type AccountFlags, type FileFlags, accountFlags, passwordFlags, removalFlags } from "./user-flags.ts";
import { USERS_FILE_HELP } from "./users-file.ts";

const EXAMPLES = `
${USERS_FILE_HELP}

Examples:
  ferryman user add ann --users users.toml --home /srv/ftp/ann --create-home
  ferryman user add bob --rights read --limit sessions=2 --limit download-rate=2MiB
  ferryman user mod ann --folder '/incoming/**=drop' --expires 2027-01-31
  ferryman user mod bob --disable
  pass show ftp/ann | ferryman user passwd ann --password-stdin
  getent shadow carl | ferryman user add carl --hash-stdin --home /srv/ftp/carl
  ferryman user list --json

Exit codes: 0 ok, 1 failed, 2 wrong usage, 75 try again later, 77 not permitted, 78 wrong configuration`;

/** What each sub-command's own help shows. */
const EXAMPLE_OF = {
  add: "pass show ftp/ann | ferryman user add ann --password-stdin --home /srv/ftp/ann",
  mod: "ferryman user mod ann --rights write --limit idle=10m --limit sessions=none",
  del: "ferryman user del ann",
  passwd: "ferryman user passwd ann",
  list: "ferryman user list --users /etc/ferryman/users.toml",
  show: "ferryman user show ann --json",
} as const;

/** Its actions throw CliError. @param io for tests; the process's own if absent. */
export function userCommand(io: UserIo = { ...standardStreams(), environment: process.env }): Command {
  const user = new Command("user").description("Keep the accounts of a users file.").addHelpText("after", EXAMPLES);
  passwordFlags(accountFlags(subCommand(user, "add <NAME>", "make an account; asks for its password")))
    .action(async (name: string, flags: AccountFlags) => await told(async () => await add(name, flags, io)))
    .hook("preAction", refuseArguments)
    .allowExcessArguments();
  removalFlags(accountFlags(subCommand(user, "mod <NAME>", "change what is given, and nothing else"))).action(
    async (name: string, flags: AccountFlags) => await told(async () => await mod(name, flags, io)),
  );
  subCommand(user, "del <NAME>", "remove an account; its files stay").action(
    async (name: string, flags: FileFlags) => await told(async () => await del(name, flags, io)),
  );
  passwordFlags(subCommand(user, "passwd <NAME>", "set another password"))
    .action(async (name: string, flags: FileFlags) => await told(async () => await passwd(name, flags, io)))
    .hook("preAction", refuseArguments)
    .allowExcessArguments();
  subCommand(user, "list", "show all accounts")
    .option("--json", "as JSON")
    .action(async (flags: FileFlags) => await told(async () => await list(flags, io)));
  subCommand(user, "show <NAME>", "show one account in full, without its password")
    .option("--json", "as JSON")
    .action(async (name: string, flags: FileFlags) => await told(async () => await show(name, flags, io)));
  return user;
}

/** Somebody gives a password here sooner or later; commander's own message would print it. */
function refuseArguments(_parent: Command, { args }: Command): void {
  if (args.length <= 1) return;
  throw new CliError(
    "one name, and no password: others on this machine could read it; see --password-stdin and --hash-stdin",
    EXIT.usage,
  );
}

function subCommand(user: Command, usage: string, about: string): Command {
  const command = user.command(usage).description(about);
  const example = Object.entries(EXAMPLE_OF).find(([name]) => name === command.name())?.[1] ?? "";
  return command
    .option("--file, --users <FILE>", "the users file; which one without it: ferryman user --help")
    .addHelpText("after", `\nExample:\n  ${example}`);
}

function standardStreams(): Pick<UserIo, "stdin" | "stdout" | "stderr"> {
  const { stdin, stdout, stderr } = process;
  return { stdin, stdout, stderr };
}
