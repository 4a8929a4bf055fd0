/** The command `ferryman`: finds the sub-command, loads that one alone, and turns every end into an exit code. */
import { PROGRAM } from "./program.ts";
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { withoutPasswords } from "../base/masked.ts";
import { nearest } from "../base/nearest.ts";
import { shownTyped } from "./columns.ts";
import { CliError, EXIT, type ExitCode } from "./exit.ts";
import { fitting } from "./wrap.ts";

/** What `ferryman --help` lists; the files behind are loaded when one of them is asked for. */
const COMMANDS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Command> }>> = {
  serve: {
    about: "serve a folder by FTP",
    load: async () => (await import("./serve.ts")).serveCommand(),
  },
  get: {
    about: "get files from servers",
    load: async () => (await import("./get.ts")).getCommand(),
  },
  put: {
    about: "put files onto a server",
    load: async () => (await import("./put.ts")).putCommand(),
  },
  ls: {
    about: "list folders of a server",
    load: async () => (await import("./ls.ts")).lsCommand(),
  },
  cat: {
    about: "write files of servers to standard output",
    load: async () => (await import("./cat.ts")).catCommand(),
  },
  rm: {
    about: "remove files of a server",
    load: async () => (await import("./rm.ts")).rmCommand(),
  },
  mv: {
    about: "rename or move a file of a server",
    load: async () => (await import("./mv.ts")).mvCommand(),
  },
  mkdir: {
    about: "make folders at a server",
    load: async () => (await import("./mkdir.ts")).mkdirCommand(),
  },
  stat: {
    about: "tell what a server says of files",
    load: async () => (await import("./stat.ts")).statCommand(),
  },
  du: {
    about: "tell how much lies in folders of a server",
    load: async () => (await import("./du.ts")).duCommand(),
  },
  find: {
    about: "find names in a tree of a server",
    load: async () => (await import("./find.ts")).findCommand(),
  },
  chmod: {
    about: "change permissions of files of a server",
    load: async () => (await import("./chmod.ts")).chmodCommand(),
  },
  mirror: {
    about: "make a folder like another, from or to a server",
    load: async () => (await import("./mirror.ts")).mirrorCommand(),
  },
  cp: {
    about: "copy files from one server to another",
    load: async () => (await import("./cp.ts")).cpCommand(),
  },
  watch: {
    about: "send the files of a folder as they come",
    load: async () => (await import("./watch.ts")).watchCommand(),
  },
  open: {
    about: "open a shell on a server",
    load: async () => (await import("./open.ts")).openCommand(),
  },
  bookmark: {
    about: "keep names for servers",
    load: async () => (await import("./bookmark.ts")).bookmarkCommand(),
  },
  user: {
    about: "keep the accounts of a users file",
    load: async () => (await import("./user.ts")).userCommand(),
  },
  doctor: {
    about: "tell what this machine gives a server, and why",
    load: async () => (await import("./doctor.ts")).doctorCommand(),
  },
  completion: {
    about: "let the shell complete commands and flags",
    load: async () => (await import("./completion.ts")).completionCommand(all),
  },
  ban: {
    about: "show, add and lift the bans of a running server",
    load: async () => (await import("./ban.ts")).banCommand(),
  },
};

/** What other programs call what ours can do. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  hash: "stat --hash URL",
  checksum: "stat --hash URL",
  sync: "mirror FROM TO",
  dir: "ls",
  list: "ls",
  del: "rm",
  delete: "rm",
  rename: "mv",
  copy: "cp",
  download: "get",
  fetch: "get",
  upload: "put",
  shell: "open",
  connect: "open",
};

/** Commands whose `--json` is a line for each thing that happens. */
const EVENTFUL: ReadonlySet<string> = new Set(
  "get put ls cat rm mv mkdir stat du find chmod mirror cp watch doctor".split(" "),
);

const EXAMPLES = `
Examples:
  ferryman serve                        this folder, read-only, this machine alone
  ferryman serve ~/pub --listen 0.0.0.0:2121
  ferryman user add ann --users users.toml
  ferryman serve --users users.toml --anonymous off
  ferryman ban list                     who is shut out of the running server
  ferryman get ftp://ftp.example.org/pub/README
  ferryman put report.pdf ftp://ann@example.org/inbox/
  ferryman serve --help                 all that serve can be told

Exit codes: 0 ok, 1 failed, 2 wrong usage, 75 try again later, 77 not permitted,
78 wrong configuration`;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") void endUnwritten(error);
});
process.stderr.on("error", ignoreClosedPipe);
process.on("uncaughtException", (error) => {
  process.exit(report(error));
});
// Until all is done: an end before that, with nothing left to wait for, is no success.
process.exitCode = EXIT.failed;
// No await at the top: the package has this file as CommonJS too.
void main(process.argv.slice(2)).then((code) => (process.exitCode = code));

/** Every command in full, under its name. */
async function all(): Promise<readonly (readonly [name: string, about: string, command: Command])[]> {
  return await Promise.all(
    Object.entries(COMMANDS).map(async ([name, { about, load }]) => [name, about, await load()] as const),
  );
}

async function main(args: readonly string[]): Promise<ExitCode> {
  const asked = args.find((argument) => !argument.startsWith("-"));
  // `ferryman help serve` names the sub-command second.
  const name = asked === "help" ? args[args.indexOf(asked) + 1] : asked;
  try {
    // Before its flags are looked at: those of a command that there is not are unknown too.
    if (name !== undefined && name !== "help" && !(name in COMMANDS)) throw unknownCommand(name);
    await (await program(name)).parseAsync([...args], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (name !== undefined && isForPrograms(name, args)) await tellPrograms(error);
    return report(error);
  }
}

/** Whether a program reads what a client's command says. */
function isForPrograms(name: string, args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return EVENTFUL.has(name) && (end === -1 ? args : args.slice(0, end)).includes("--json");
}

/** Loaded when it is needed: the client is large. */
async function tellPrograms(error: unknown): Promise<void> {
  if (error instanceof CommanderError && error.exitCode === 0) return;
  if (error instanceof CliError && error.isTold) return;
  const { failureEvent } = await import("./remote/failure.ts");
  const text = error instanceof Error ? error.message.replace(/^error: /, "") : String(error);
  const exitCode = error instanceof CommanderError ? EXIT.usage : EXIT.failed;
  const event = failureEvent(error instanceof CliError ? error : new CliError(text, exitCode));
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** @param name of the sub-command that is loaded in full; the others are only listed. */
async function program(name: string | undefined): Promise<Command> {
  const root: Command = new Command("ferryman")
    .description("FTP that gets through: serve files, get and put them.")
    .usage("COMMAND [OPTIONS]")
    .version(version(), "-V, --version")
    .helpCommand("help [COMMAND]", "show what a command can be told")
    .addHelpText("after", EXAMPLES)
    .showSuggestionAfterError(false)
    .action(() => root.help())
    .allowExcessArguments();
  for (const [each, { about, load }] of Object.entries(COMMANDS)) {
    root.addCommand(each === name ? await load() : new Command(each).description(about));
  }
  return thrownNotEnded(root);
}

/** Errors of a command line are thrown, by every sub-command too, instead of ending the process with code 1. */
function thrownNotEnded(command: Command, name = PROGRAM): Command {
  command
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(fitting(withoutPasswords(text.replace(/^error: /, "ferryman: ")), process.stderr)),
    })
    .showHelpAfterError(`See: ${name} --help`);
  for (const each of command.commands) thrownNotEnded(each, `${name} ${each.name()}`);
  return command;
}

function unknownCommand(name: string): CliError {
  const shown = shownTyped(name);
  const meant = /^[a-z]+:\/\//i.test(name)
    ? `open ${shown}`
    : (OTHER_NAMES[name] ?? nearest(name, Object.keys(COMMANDS)));
  const hint = meant === undefined ? "See: ferryman --help" : `Did you mean: ferryman ${meant}`;
  return new CliError(`There is no command "${shown}". ${hint}`, EXIT.usage);
}

function report(error: unknown): ExitCode {
  // commander has printed its own words already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const expected = error instanceof CliError;
  const text = withoutPasswords(error instanceof Error ? error.message : String(error));
  // Without text: all has been told already, file by file.
  if (text !== "") process.stderr.write(`${fitting(`ferryman: ${text}`, process.stderr)}\n`);
  const debugging = process.env["FERRYMAN_DEBUG"] === "1";
  if (debugging && error instanceof Error) process.stderr.write(`${withoutPasswords(error.stack ?? "")}\n`);
  if (expected) return error.exitCode;
  if (!debugging) process.stderr.write("This was not expected. With FERRYMAN_DEBUG=1 it says where it happened.\n");
  return EXIT.failed;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const known = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return known ? String(manifest.version) : "unknown";
}

/** Whoever reads what we write is owed all of it. */
async function endUnwritten(error: unknown): Promise<void> {
  const { localFault } = await import("../client/octets.ts");
  process.exit(report(new CliError(`${localFault(error, "cannot write to standard output").message}.`, EXIT.failed)));
}

/** `ferryman … 2>&1 | head` closes the pipe early: no reason to fail. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
