/** `ferryman mirror`: makes a folder here like one of a server, or the other way round. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { describePlan, describeStep } from "../client/mirror/describe-plan.ts";
import { type FilterRule, rulesFromText } from "../client/mirror/filter.ts";
import { mirror } from "../client/mirror/mirror.ts";
import type { MirrorEvent, MirrorSpec, Report, RunOptions } from "../client/mirror/types.ts";
import type { Client } from "../client/types.ts";
import { printable } from "./columns.ts";
import { cannotRead } from "./cannot-read.ts";
import { CliError, EXIT } from "./exit.ts";
import { type ShownTransfer, boardMode, createBoard, type TransferBoard } from "./progress/board.ts";
import { counted, shownSize, shownTime } from "./progress/figures.ts";
import { toldOnSignal } from "./progress/on-signal.ts";
import { remoteCommand } from "./remote/at.ts";
import { asCliError, ending, explainedInLine } from "./remote/failure.ts";
import { failureFacts } from "./remote/failure-facts.ts";
import { readAge, readCount, readNumber, readSize, type RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo, interruptible, sayer } from "./remote/io.ts";
import { demandOctets, isRemote, reach, shownUrl } from "./remote/reach.ts";

type MirrorFlags = RemoteFlags & {
  readonly parallel?: number;
  readonly delete?: true;
  readonly deleteFirst?: true;
  readonly deleteExcluded?: true;
  readonly maxDelete?: number;
  readonly allowEmpty?: true;
  readonly dryRun?: true;
  readonly compare?: NonNullable<MirrorSpec["compare"]>;
  readonly onlyNewer?: true;
  readonly only?: NonNullable<MirrorSpec["only"]>;
  readonly zoneTolerance?: true;
  /** In the order of the command line. */
  readonly rules?: readonly FilterRule[];
  readonly rulesFrom?: string;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly newerThan?: number;
  readonly olderThan?: number;
  readonly links?: NonNullable<MirrorSpec["links"]>;
  readonly times?: boolean;
  readonly modes?: boolean;
  readonly hidden?: boolean;
  readonly depth?: number;
  readonly checkAfter?: true;
  readonly verify?: "size" | "hash" | "off";
  readonly failEarly?: true;
};

const EXAMPLES = `
One of the two is a URL: ferryman mirror URL DIR brings a server's folder here,
ferryman mirror DIR URL brings ours there. What was done stays done: the same
command goes on where an earlier one stopped, inside a file too. Patterns are
tried in their order, the last that matches decides; what is left out by one is
never deleted (but see --delete-excluded).

Examples:
  ferryman mirror ftp://example.org/pub/ pub -P 4
  ferryman mirror site ftp://ann@example.org/www --delete --dry-run
  ferryman mirror ftp://example.org/ all --exclude '*.tmp' --exclude 'cache/'
  ferryman mirror photos ftp://ann@example.org/photos --compare hash`;

export function mirrorCommand(io: RemoteIo = PROCESS_IO): Command {
  const rules: FilterRule[] = [];
  const rule =
    (action: FilterRule["action"], kind: "glob" | "regex") =>
    (text: string): readonly FilterRule[] => {
      rules.push(kind === "glob" ? { action, glob: text } : { action, regex: text });
      return rules;
    };
  return remoteCommand("mirror", "Make a folder like another, from or to a server.", EXAMPLES)
    .argument("<FROM>", "URL or folder whose content counts")
    .argument("<TO>", "folder or URL that becomes like it")
    .option("-P, --parallel <N>", "files at the same time (default: 4)", readCount)
    .option("--delete", "remove what the source does not have, at the end")
    .option("--delete-first", "the same, before anything is copied")
    .option("--delete-excluded", "what a pattern leaves out, too")
    .option("--max-delete <N>", "remove nothing if it would be more; 0: nothing at all", readNumber)
    .option("--allow-empty", "an empty source may empty the other side")
    .option("-n, --dry-run", "say what would be done")
    .addOption(
      new Option("--compare <BY>", "what tells that a file has changed").choices([
        "time+size",
        "size",
        "hash",
        "newer",
      ]),
    )
    .option("--only-newer", "as --compare newer: only younger files replace others")
    .addOption(
      new Option("--only <WHICH>", "only files that are missing, or only those that exist").choices([
        "missing",
        "existing",
      ]),
    )
    .option("--zone-tolerance", "times whole hours apart are the same for servers that do not tell their zone")
    .option("--include <GLOB>", "look at these", rule("include", "glob"))
    .option("--exclude <GLOB>", "leave these alone", rule("exclude", "glob"))
    .option("--include-regex <RE>", "look at these", rule("include", "regex"))
    .option("--exclude-regex <RE>", "leave these alone", rule("exclude", "regex"))
    .option("--rules-from <FILE>", "patterns from a file, one a line: + GLOB or - GLOB")
    .option("--min-size <SIZE>", "files of at least so many octets", readSize)
    .option("--max-size <SIZE>", "files of at most so many octets", readSize)
    .option("--newer-than <TIME>", "files changed since so long, such as 7d", readAge)
    .option("--older-than <TIME>", "files not changed since so long", readAge)
    .addOption(new Option("--links <HOW>", "symbolic links (default: keep)").choices(["keep", "follow", "skip"]))
    .option("--no-times", "do not set times")
    .option("--no-modes", "do not set permissions")
    .option("--no-hidden", "leave names alone that begin with a dot")
    .option("--depth <N>", "levels below the folder", readCount)
    .option("--check-after", "look at the source again after each copy")
    .addOption(
      new Option("--verify <HOW>", "what must agree after a copy (default: size)").choices(["size", "hash", "off"]),
    )
    .option("--fail-early", "the first failure ends all")
    .action(
      async (from: string, to: string, flags: MirrorFlags) =>
        await ending(
          async () => await run({ from, to, flags: { ...flags, rules } }, io),
          shownUrl(from) ?? shownUrl(to),
        ).catch((error: unknown) => {
          throw inFlags(error);
        }),
    );
}

type Asked = { readonly from: string; readonly to: string; readonly flags: MirrorFlags };

async function run({ from, to, flags }: Asked, io: RemoteIo): Promise<void> {
  const isDown = isRemote(from);
  if (isDown === isRemote(to)) {
    const hint = isDown
      ? "two servers: ferryman cp copies between them"
      : "one of the two must be a URL, such as ftp://host/folder";
    throw new CliError(`mirror needs one URL and one folder; ${hint}.`, EXIT.usage);
  }
  const rules = [...(await rulesIn(flags.rulesFrom)), ...(flags.rules ?? [])];
  const work = async (signal: AbortSignal): Promise<void> => {
    using board = createBoard(boardMode(flags), { stderr: io.stderr, stdout: io.stdout });
    const say = (line: string): void => board.note(line);
    using _ = toldOnSignal(board, flags.quiet === true || flags.json === true ? sayer(io) : say);
    await using reached = await reach(
      isDown ? from : to,
      { ...flags, connections: flags.connections ?? connectionsFor(flags) },
      { say, signal },
    );
    demandOctets(reached.url, "mirror");
    const spec = specOf({ ...flags, rules }, { isDown, remote: reached.path, local: isDown ? to : from });
    if (flags.dryRun === true) await plan(reached.client, spec, { flags, io, signal, board });
    else await doIt(reached.client, spec, { flags, io, signal, board });
  };
  await interruptible(work, {
    afterwards: () => ["What was done stays done; the same command goes on from there, inside files too."],
    pipe: flags.dryRun === true ? io.stdout : undefined,
    mostMs: flags.maxTime,
  });
}

/** A session for each file, and two for listings beside them. */
function connectionsFor({ parallel = 4 }: MirrorFlags): number {
  return parallel + 2;
}

async function rulesIn(file: string | undefined): Promise<readonly FilterRule[]> {
  if (file === undefined) return [];
  try {
    return rulesFromText(await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "phase" in error) throw asCliError(error);
    throw cannotRead(file, error);
  }
}

function specOf(
  flags: MirrorFlags,
  { isDown, remote, local }: { readonly isDown: boolean; readonly remote: string; readonly local: string },
): MirrorSpec {
  const { minSize, maxSize, newerThan, olderThan } = flags;
  return {
    direction: isDown ? "down" : "up",
    remote,
    local,
    compare: flags.onlyNewer === true ? "newer" : flags.compare,
    zoneTolerance: flags.zoneTolerance,
    only: flags.only,
    filter: { rules: flags.rules, minSize, maxSize, maxAgeMs: newerThan, minAgeMs: olderThan },
    delete: flags.deleteFirst === true ? "before" : flags.delete,
    deleteExcluded: flags.deleteExcluded,
    maxDelete: flags.maxDelete,
    allowEmpty: flags.allowEmpty,
    links: flags.links,
    times: flags.times === false ? false : undefined,
    modes: flags.modes,
    hidden: flags.hidden,
    depth: flags.depth,
    checkAfter: flags.checkAfter,
    verify: flags.verify === "off" ? false : flags.verify,
  };
}

type Doing = {
  readonly flags: MirrorFlags;
  readonly io: RemoteIo;
  readonly signal: AbortSignal;
  readonly board: TransferBoard;
};

async function plan(client: Client, spec: MirrorSpec, { flags, io, signal, board }: Doing): Promise<void> {
  await using planned = await mirror(client, spec).plan({ signal });
  for await (const step of planned.steps) {
    const line = flags.json === true ? JSON.stringify({ v: 1, event: "step", step }) : printable(describeStep(step));
    io.stdout.write(`${line}\n`);
  }
  for (const line of describePlan(planned)) board.note(printable(line));
  for (const { path, error } of planned.failed)
    board.note(`error: ${printable(path)}: ${explainedInLine(error)}`, { name: path, facts: failureFacts(error) });
  if (planned.failures > 0)
    throw new CliError(`${planned.failures} could not be looked at.`, EXIT.failed, { isTold: true });
}

async function doIt(client: Client, spec: MirrorSpec, { flags, io, signal, board }: Doing): Promise<void> {
  const show = new Shower(board, flags);
  const options: RunOptions = {
    signal,
    parallel: flags.parallel,
    failEarly: flags.failEarly,
    tries: flags.retries,
    onEvent: (event) => show.hear(event),
  };
  const report = await mirror(client, spec).run(options);
  board.close();
  if (flags.json === true) {
    const { failed, stopped, ...rest } = report;
    const failures = failed.map(({ path, error }) => ({ path, ...failureFacts(error) }));
    io.stdout.write(
      `${JSON.stringify({ v: 1, event: "report", ...rest, failed: failures, stopped: stopped?.message ?? null })}\n`,
    );
  } else if (flags.quiet !== true) sayer(io)(summary(report));
  finish(report, io);
}

/** @throws {CliError} when something failed. */
function finish({ failures, warnings, deletesHeld, stopped }: Report, io: RemoteIo): void {
  const say = sayer(io);
  for (const warning of warnings) say(`warning: ${warning}`);
  if (deletesHeld !== undefined) say(`warning: nothing was removed: ${deletesHeld}`);
  if (stopped !== undefined) throw inFlags(asCliError(stopped));
  if (failures > 0) {
    throw new CliError(`${failures} failed; the same command tries them again.`, EXIT.failed, { isTold: true });
  }
}

/** The library names its options; a person at a terminal has flags. */
function inFlags(error: unknown): unknown {
  if (!(error instanceof CliError)) return error;
  const { message, exitCode, cause, url, isTold } = error;
  const text = message.replaceAll("maxDelete", "--max-delete").replaceAll("allowEmpty", "--allow-empty");
  return new CliError(text, exitCode, { cause, url, isTold });
}

function summary(report: Report): string {
  const { copied, replaced, made, linked, deleted, same, octets, ms } = report;
  const parts = [
    `${copied} copied`,
    ...(replaced > 0 ? [`${replaced} replaced`] : []),
    ...(made > 0 ? [`${counted(made, "folder")} made`] : []),
    ...(linked > 0 ? [`${counted(linked, "link")} made`] : []),
    ...(deleted > 0 ? [`${deleted} removed`] : []),
    `${same} the same`,
  ];
  return `${parts.join(", ")}; ${shownSize(octets)} in ${ms < 1000 ? `${ms} ms` : shownTime(ms / 1000)}.`;
}

/** Events of a mirror on the board. */
class Shower {
  readonly #board: TransferBoard;
  readonly #isVerbose: boolean;
  readonly #shown = new Map<string, ShownTransfer>();

  constructor(board: TransferBoard, flags: MirrorFlags) {
    this.#board = board;
    this.#isVerbose = flags.quiet !== true && flags.json !== true;
  }

  hear(event: MirrorEvent): void {
    switch (event.kind) {
      case "start":
        this.#shown.set(
          event.path,
          this.#board.begin({ name: event.path, total: event.size, resumedAt: event.resumedAt }),
        );
        break;
      case "progress":
        this.#shown.get(event.path)?.update(event.bytes);
        break;
      case "done":
        this.#shown.get(event.path)?.update(event.bytes);
        this.#end(event.path)?.done();
        break;
      case "failed": {
        const shown = this.#end(event.path);
        const { path, error } = event;
        const words = explainedInLine(error);
        if (shown === undefined)
          this.#board.note(`${printable(path)}  failed: ${words}`, { name: path, facts: failureFacts(error) });
        else shown.failed(words, error);
        break;
      }
      case "planned": {
        const { copy, replace, octets } = event.counts;
        this.#board.expect({ files: copy + replace, bytes: octets });
        break;
      }
      case "deleted":
        if (this.#isVerbose) this.#board.note(`removed ${printable(event.path)}`);
        break;
      default:
    }
  }

  #end(path: string): ShownTransfer | undefined {
    const shown = this.#shown.get(path);
    this.#shown.delete(path);
    return shown;
  }
}
