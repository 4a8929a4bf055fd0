/** Whole folders made the same: mirror, both ways. */
import { printable } from "../../../client/errors.ts";
import { describePlan, describeStep } from "../../../client/mirror/describe-plan.ts";
import { mirror } from "../../../client/mirror/mirror.ts";
import type { MirrorEvent, MirrorSpec, Report } from "../../../client/mirror/types.ts";
import type { ShownTransfer } from "../../progress/board.ts";
import { shownSize } from "../../progress/figures.ts";
import type { Call, ShellCommand } from "../command.ts";
import { PartsFailed, ShellError, UsageError, described } from "../errors.ts";
import { type Flags, readFlags, wholeNumber } from "../flags.ts";
import { PARALLEL_MOST } from "../limits.ts";
import { inFolder, lastPart, localPath, remotePath } from "../place.ts";
import { checkedName } from "../local-names.ts";
import { basename, join } from "node:path";

const LETTERS = "RenNyHvx:i:P:";
const LONG = {
  reverse: "R",
  delete: "e",
  "only-newer": "N",
  "dry-run": "y",
  hash: "H",
  verbose: "v",
  exclude: "x",
  include: "i",
  parallel: "P",
};

export const MIRROR_COMMANDS: readonly ShellCommand[] = [
  {
    name: "mirror",
    topic: "transfers",
    usage: "[-ReNyHv] [-x GLOB] [-i GLOB] [-P N] [SOURCE [TARGET]]",
    help: "make a folder here as one of the server is; -R: the other way",
    examples: ["mirror pub", "mirror -R -e site /www", "mirror -y -x '*.tmp' pub copy"],
    more: [
      "-e, --delete    remove what is not there   -N, --only-newer  newer files alone",
      "-y, --dry-run   say what would be done     -H, --hash        compare digests",
      "-x, --exclude   leave names out            -i, --include     but not these",
      "-P, --parallel  files at the same time     -v, --verbose     say what is done",
      "A TARGET that ends with a slash gets the folder into it. What was interrupted",
      "goes on where it was.",
    ],
    completes: "folder",
    run: runMirror,
  },
];

async function runMirror(call: Call): Promise<void> {
  const flags = readFlags(call.words, LETTERS, LONG);
  // Who means to look first must not delete, and who knows lftp must not be left with nothing done.
  if (flags.has("n")) throw new ShellError("-n is --only-newer to some and --dry-run to others: write which");
  if (flags.rest.length > 2) throw new UsageError("a source and a target");
  const job = mirror(call.client(), specOf(call, flags));
  const given = flags.value("P");
  const parallel = given === undefined ? undefined : wholeNumber(given, { from: 1, to: PARALLEL_MOST });
  if (flags.has("y")) {
    await using plan = await job.plan({ signal: call.signal });
    for await (const step of plan.steps) await call.line(printable(describeStep(step)));
    for (const line of describePlan(plan)) call.say(printable(line));
    return;
  }
  const shown = new Map<string, ShownTransfer>();
  const report = await job.run({
    signal: call.signal,
    rate: call.shell.settings.rate(),
    parallel: parallel ?? call.shell.settings.number("parallel"),
    onEvent: (event) => heard(call, event, { shown, isVerbose: flags.has("v") }),
  });
  call.shell.names.clear();
  tell(call, report);
}

function specOf(call: Call, flags: Flags): MirrorSpec {
  const direction = flags.has("R") ? "up" : "down";
  // The last rule that matches decides.
  const rules = [
    ...flags.values("x").map(({ text }) => ({ action: "exclude", glob: text }) as const),
    ...flags.values("i").map(({ text }) => ({ action: "include", glob: text }) as const),
  ];
  const verify = call.shell.settings.get("verify");
  return {
    direction,
    ...foldersOf(call, flags, direction),
    compare: flags.has("H") ? "hash" : flags.has("N") ? "newer" : undefined,
    delete: flags.has("e"),
    filter: { rules },
    times: call.shell.settings.isOn("keep-time") ? undefined : false,
    verify: verify === "off" ? false : verify === "hash" ? "hash" : "size",
  };
}

/** Without a target: under the same name, in the folder where one is. Without a source: all of that folder. */
function foldersOf(
  call: Call,
  { rest: [source, target] }: Flags,
  direction: "down" | "up",
): { readonly remote: string; readonly local: string } {
  const { place } = call;
  if (direction === "down") {
    const remote = source === undefined ? place.folder : remotePath(place, source);
    if (source === undefined) return { remote, local: place.localFolder };
    const name = lastPart(remote);
    if (target === undefined) return { remote, local: join(place.localFolder, name === "" ? "." : checkedName(name)) };
    const local = localPath(place, target);
    return { remote, local: target.text.endsWith("/") && name !== "" ? join(local, checkedName(name)) : local };
  }
  const local = source === undefined ? place.localFolder : localPath(place, source);
  if (source === undefined) return { local, remote: place.folder };
  if (target === undefined) return { local, remote: inFolder(place.folder, basename(local)) };
  const remote = remotePath(place, target);
  return { local, remote: target.text.endsWith("/") ? inFolder(remote, basename(local)) : remote };
}

type Hearing = { readonly shown: Map<string, ShownTransfer>; readonly isVerbose: boolean };

function heard(call: Call, event: MirrorEvent, hearing: Hearing): void {
  switch (event.kind) {
    case "start":
    case "progress":
    case "done":
    case "failed":
      onBoard(call, event, hearing);
      break;
    case "retry":
      call.say(printable(`note: ${event.path}: ${event.error.message}; try ${event.attempt + 1} follows`));
      break;
    case "planned":
      call.board.expect({ files: event.counts.copy + event.counts.replace, bytes: event.counts.octets });
      break;
    case "warning":
      call.say(printable(`note: ${event.text}`));
      break;
    case "left-out":
      break;
    default:
      if (hearing.isVerbose) call.say(printable(`${event.kind} ${event.path}`));
  }
}

type FileEvent = Extract<MirrorEvent, { readonly kind: "start" | "progress" | "done" | "failed" }>;

function onBoard(call: Call, event: FileEvent, { shown }: Hearing): void {
  const transfer = shown.get(event.path);
  if (event.kind === "start") {
    shown.set(event.path, call.board.begin({ name: event.path, total: event.size, resumedAt: event.resumedAt }));
    return;
  }
  if (event.kind === "progress") {
    transfer?.update(event.bytes, { total: event.total });
    return;
  }
  shown.delete(event.path);
  if (event.kind === "done") {
    transfer?.update(event.bytes);
    transfer?.done();
    return;
  }
  // What failed before it began is on no board.
  if (!call.board.isShown || transfer === undefined) call.say(`${printable(event.path)}: ${described(event.error)}`);
  transfer?.failed(described(event.error));
}

function tell(call: Call, report: Report): void {
  const { copied, replaced, made, linked, deleted, same, octets, failures, stopped, deletesHeld } = report;
  const parts = [
    [copied, "new"],
    [replaced, "changed"],
    [made, "folders made"],
    [linked, "links made"],
    [deleted, "removed"],
    [same, "the same"],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  call.say(said.length === 0 ? "nothing to do" : `${said.join(", ")}; ${shownSize(octets)} moved`);
  if (deletesHeld !== undefined) call.say(`note: nothing was removed: ${printable(deletesHeld)}`);
  if (stopped !== undefined) throw new ShellError(`it stopped before its end: ${described(stopped)}`);
  if (failures > 0) throw new PartsFailed({ failed: failures, of: failures + copied + replaced });
}
