/** `ferryman ban`: the bans of a running server, seen and changed by its control socket. */
import { styleText } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import { formatDuration, parseDuration } from "../base/units.ts";
import { BAN_ANSWERS, type ShownBan } from "../control/ban-requests.ts";
import { parseBanTarget } from "../guard/ban.ts";
import { LONGEST_BAN } from "../guard/limits.ts";
import { alignment, printable } from "./columns.ts";
import { CONTROL_HELP, type ControlFlags, ask } from "./control-flags.ts";
import { CliError, EXIT } from "./exit.ts";

export type BanIo = {
  readonly stdout: NodeJS.WritableStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

type ListFlags = ControlFlags & { readonly json?: true };
type AddFlags = ControlFlags & { readonly for?: number; readonly reason?: string };

const EXAMPLES = `
A TARGET is an address (192.0.2.1), a network (192.0.2.0/24, 2001:db8::/64) or an
account (account:ann). A ban ends the target's sessions.
${CONTROL_HELP}

Examples:
  ferryman ban list
  ferryman ban add 192.0.2.0/24 --for 1d --reason "scans every night"
  ferryman ban add account:ann
  ferryman ban lift 192.0.2.0/24

Exit codes: 0 ok, 1 failed, 2 wrong usage, 75 no server runs, 77 not permitted,
78 wrong configuration`;

/** Its actions throw CliError. @param io for tests; the process's own if absent. */
export function banCommand(io: BanIo = { stdout: process.stdout, now: Date.now }): Command {
  const ban = new Command("ban").description("Show, add and lift the bans of a running server.");
  ban.addHelpText("after", EXAMPLES);
  subCommand(ban, "list", "show all bans")
    .option("--json", "as JSON, times in RFC 3339")
    .action(async (flags: ListFlags) => await list(flags, io));
  subCommand(ban, "add <TARGET>", "ban an address, a network or an account")
    .option("--for <TIME>", "how long, 90s, 10m, 1h30m, 2d (default: until it is lifted)", readTime)
    .option("--reason <TEXT>", "for the log and the list; clients do not see it")
    .action(async (target: string, flags: AddFlags) => await add(target, flags, io));
  subCommand(ban, "lift <TARGET>", "end a ban, and forget what led to it").action(
    async (target: string, flags: ControlFlags) => await lift(target, flags, io),
  );
  return ban;
}

function subCommand(parent: Command, usage: string, about: string): Command {
  return parent
    .command(usage)
    .description(about)
    .option("--control <PATH>", "control socket of the server")
    .option("--config <FILE>", "configuration file of the server, which names its control socket");
}

async function list({ json, ...flags }: ListFlags, io: BanIo): Promise<void> {
  const bans = await ask(flags, { ask: "ban.list", about: {}, schema: BAN_ANSWERS.list });
  if (json === true) {
    io.stdout.write(`${JSON.stringify(bans.map(banJson), undefined, 2)}\n`);
    return;
  }
  io.stdout.write(bans.length === 0 ? "Nobody is banned.\n" : `${banTable(bans, io)}\n`);
}

async function add(target: string, { for: seconds, reason, ...flags }: AddFlags, io: BanIo): Promise<void> {
  checkTarget(target);
  const about = {
    target,
    ...(seconds === undefined ? {} : { seconds }),
    ...(reason === undefined ? {} : { reason }),
  };
  const ban = await ask(flags, { ask: "ban.add", about, schema: BAN_ANSWERS.add });
  const end = ban.until === undefined ? "until it is lifted" : `for ${timeLeft(ban.until, io)}`;
  io.stdout.write(`Banned ${printable(ban.target)} ${end}.\n`);
}

async function lift(target: string, flags: ControlFlags, io: BanIo): Promise<void> {
  checkTarget(target);
  const ban = await ask(flags, { ask: "ban.lift", about: { target }, schema: BAN_ANSWERS.lift });
  io.stdout.write(`Lifted the ban of ${printable(ban.target)}.\n`);
}

/** Before a server is asked: a slip of the hand is one without a server, too. */
function checkTarget(target: string): void {
  const reading = parseBanTarget(target);
  if (!reading.ok) throw new CliError(reading.problem, EXIT.usage);
}

function banTable(bans: readonly ShownBan[], io: BanIo): string {
  const header = ["TARGET", "ENDS IN", "BY", "REASON"];
  const rows = bans.map((ban) => [
    printable(ban.target),
    ban.until === undefined ? "never" : timeLeft(ban.until, io),
    ban.automatic ? "guard" : "hand",
    printable(ban.reason),
  ]);
  const line = alignment([header, ...rows]);
  return [styleText("bold", line(header), { stream: io.stdout }), ...rows.map(line)].join("\n");
}

function banJson({ since, until, ...ban }: ShownBan): unknown {
  return {
    ...ban,
    since: new Date(since).toISOString(),
    until: until === undefined ? null : new Date(until).toISOString(),
  };
}

/** To the minute when it is longer than one: nobody needs the seconds of a day. */
function timeLeft(until: number, { now }: BanIo): string {
  const seconds = Math.max(1, Math.ceil((until - now()) / 1000));
  return formatDuration(seconds > 3_600 ? Math.ceil(seconds / 60) * 60 : seconds);
}

function readTime(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds >= 1 && seconds <= LONGEST_BAN) return seconds;
  throw new InvalidArgumentError("Write a time like 90s, 10m, 1h30m or 2d, up to 3650d; none: until it is lifted.");
}
