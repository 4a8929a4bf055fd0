/** `ferryman watch`: sends the files of a folder to a server, now and as they come; for cameras, scanners and tills. */
import type { Command } from "commander";
import { parseDuration } from "../base/units.ts";
import { type WatchEvent, type WatchReport, watchAndUpload } from "../client/watch.ts";
import { printable } from "./columns.ts";
import { CliError, EXIT } from "./exit.ts";
import { counted, shownSize } from "./progress/figures.ts";
import { remoteCommand } from "./remote/at.ts";
import { ending, explainedInLine } from "./remote/failure.ts";
import { failureFacts } from "./remote/failure-facts.ts";
import { readCount, type RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo, sayer, stopping } from "./remote/io.ts";
import { reach, shownUrl } from "./remote/reach.ts";

type WatchFlags = RemoteFlags & {
  readonly remove?: true;
  readonly moveTo?: string;
  readonly settle?: string;
  readonly once?: true;
  readonly atomic?: true;
  readonly hidden?: true;
  readonly parallel?: number;
};

const EXAMPLES = `
Ends with Ctrl-C or SIGTERM. While the server is away it tries again for ever.
A file is sent when it has not changed for a while.

Examples:
  ferryman watch scans ftp://till@example.org/in --remove
  ferryman watch photos ftp://ann@example.org/photos --settle 10s
  ferryman watch out ftp://ann@example.org/in --once --move-to sent`;

export function watchCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("watch", "Send the files of a folder to a server, now and as they come.", EXAMPLES)
    .argument("<DIR>", "folder of this machine, with all that is below it")
    .argument("<URL>", "folder of the server")
    .option("--remove", "remove a file here when it has been sent")
    .option("--move-to <DIR>", "move it there instead")
    .option("--settle <TIME>", "how long a file must not have changed (default: 2s)")
    .option("--atomic", "send to a hidden name and rename at the end")
    .option("--hidden", "names that begin with a dot, too")
    .option("--once", "end when all that is there has been sent")
    .option("-P, --parallel <N>", "files at the same time (default: 2)", readCount)
    .action(
      async (folder: string, url: string, flags: WatchFlags) =>
        await ending(async () => await watch({ folder, url, flags }, io), shownUrl(url)),
    );
}

type Asked = { readonly folder: string; readonly url: string; readonly flags: WatchFlags };

async function watch({ folder, url, flags }: Asked, io: RemoteIo): Promise<void> {
  if (flags.remove === true && flags.moveTo !== undefined) {
    throw new CliError("--remove and --move-to do not go together.", EXIT.usage);
  }
  const stop = new AbortController();
  const end = flags.maxTime === undefined ? [] : [AbortSignal.timeout(flags.maxTime)];
  const signal = AbortSignal.any([stop.signal, ...end]);
  using _ = stopping(() => stop.abort());
  const say = sayer(io);
  await using reached = await reach(url, flags, { say, signal });
  const report = await watchAndUpload(reached.client, folder, reached.path, {
    signal,
    settleMs: settleOf(flags.settle),
    afterwards: flags.moveTo === undefined ? (flags.remove === true ? "remove" : "keep") : { moveTo: flags.moveTo },
    hidden: flags.hidden,
    atomic: flags.atomic,
    once: flags.once,
    parallel: flags.parallel,
    onEvent: (event) => tell(event, { flags, io, say }),
  });
  finish(report, { flags, io });
}

function settleOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new CliError("--settle takes a time like 5s or 1m.", EXIT.usage);
  return seconds * 1000;
}

type Telling = { readonly flags: WatchFlags; readonly io: RemoteIo; readonly say: (line: string) => void };

function tell(event: WatchEvent, { flags, io, say }: Telling): void {
  if (flags.json === true) {
    const { kind, error, ...rest } = "error" in event ? event : { ...event, error: undefined };
    const facts = error === undefined ? {} : failureFacts(error);
    io.stdout.write(`${JSON.stringify({ v: 1, event: kind, ...rest, ...facts })}\n`);
    return;
  }
  if (event.kind === "failed") say(`error: ${printable(event.path)}: ${explainedInLine(event.error)}`);
  else if (event.kind === "warning") say(`warning: ${event.text}`);
  else if (event.kind === "waiting") {
    say(`note: ${explainedInLine(event.error)} Nothing is sent for ${(event.waitMs / 1000).toFixed(0)} s.`);
  } else if (flags.quiet !== true) tellWork(event, say);
}

function tellWork(event: WatchEvent, say: (line: string) => void): void {
  if (event.kind === "sent") say(`sent ${printable(event.path)}  ${shownSize(event.bytes)} in ${event.ms} ms`);
  else if (event.kind === "ready") say(`watching: ${counted(event.files, "file")} there.`);
}

function finish(
  { sent, octets, failures }: WatchReport,
  { flags, io }: { readonly flags: WatchFlags; readonly io: RemoteIo },
): void {
  if (flags.quiet !== true && flags.json !== true) sayer(io)(`${counted(sent, "file")} sent, ${shownSize(octets)}.`);
  if (failures > 0) throw new CliError(`${failures} failed; see above.`, EXIT.failed, { isTold: true });
}
