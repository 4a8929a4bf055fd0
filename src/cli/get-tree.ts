/** `ferryman get -r`: trees over FTP and HTTP, in the manner of wget. */
import { join } from "node:path";
import { formatFtpUrl } from "../client/url.ts";
import { fetchTree } from "../client/fetch-tree/fetch-tree.ts";
import type { FetchEvent, FetchOptions, FetchReport, LeftOutReason } from "../client/fetch-tree/types.ts";
import { printable } from "./columns.ts";
import { CliError, EXIT } from "./exit.ts";
import type { ShownTransfer } from "./progress/board.ts";
import { counted, shownSize, shownTime } from "./progress/figures.ts";
import { explainedInLine } from "./remote/failure.ts";
import { failureFacts } from "./remote/failure-facts.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { type RemoteIo, sayer } from "./remote/io.ts";
import { loginOf } from "./remote/login.ts";
import { demandOctets, placeOf } from "./remote/reach.ts";
import type { Transfers } from "./remote/transfers.ts";

export type TreeFlags = RemoteFlags & {
  readonly level?: number;
  readonly hostFolder?: boolean;
  readonly cutDirs?: number;
  readonly accept?: readonly string[];
  readonly reject?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly parents?: true;
  readonly spanHosts?: true;
  readonly robots?: boolean;
  readonly links?: NonNullable<FetchOptions["links"]>;
  readonly exists?: "overwrite" | "skip" | "newer" | "error";
  readonly continue?: true;
  readonly parallel?: number;
  readonly outputFolder?: string;
};

/** @throws {CliError} when something failed. */
export async function getTree(
  text: string,
  { flags, io, transfers }: { readonly flags: TreeFlags; readonly io: RemoteIo; readonly transfers: Transfers },
): Promise<void> {
  const { board, signal, say } = transfers;
  const shown = new Map<string, ShownTransfer>();
  const { url, connect } = await addressOf(text, flags, say);
  const report = await fetchTree(url, flags.outputFolder ?? ".", {
    ...optionsOf(flags),
    connect,
    signal,
    onEvent: (event) => hear(event, { shown, transfers, flags }),
  });
  board.close();
  if (flags.json === true) io.stdout.write(`${JSON.stringify({ v: 1, event: "report", ...shownReport(report) })}\n`);
  else if (flags.quiet !== true) sayer(io)(summary(report));
  if (report.stopped !== undefined) throw report.stopped;
  if (report.failures > 0)
    throw new CliError(`${report.failures} failed: the tree here is not whole; see above.`, EXIT.failed, {
      isTold: true,
    });
}

/** Pages are fetched as they stand; an FTP server is reached as every command reaches it. */
async function addressOf(
  text: string,
  flags: TreeFlags,
  say: (line: string) => void,
): Promise<{ readonly url: string; readonly connect: FetchOptions["connect"] }> {
  if (/^https?:\/\//i.test(text)) return { url: text, connect: undefined };
  const place = await placeOf(text, flags);
  demandOctets(place.url, "get -r");
  const login = await loginOf(place, flags, { say });
  const { password: _, ...url } = place.url;
  return { url: formatFtpUrl(url), connect: { ...place.options, ...login } };
}

function optionsOf(flags: TreeFlags): FetchOptions {
  return {
    depth: flags.level,
    hostFolder: flags.hostFolder,
    cutFolders: flags.cutDirs,
    accept: flags.accept,
    reject: flags.reject,
    include: flags.include,
    exclude: flags.exclude,
    parents: flags.parents,
    spanHosts: flags.spanHosts,
    robots: flags.robots,
    links: flags.links,
    exists: existsOf(flags.exists),
    resume: flags.continue,
    parallel: flags.parallel,
    rate: flags.limitRate,
    replyMs: flags.timeout,
    stallMs: flags.stall,
    retry: flags.retries === undefined ? undefined : { attempts: flags.retries },
  };
}

function existsOf(exists: TreeFlags["exists"]): FetchOptions["exists"] {
  if (exists !== "error") return exists;
  throw new CliError("--exists error goes with single files; for trees: overwrite, skip or newer.", EXIT.usage);
}

type Hearing = {
  readonly shown: Map<string, ShownTransfer>;
  readonly transfers: Transfers;
  readonly flags: TreeFlags;
};

function hear(event: FetchEvent, { shown, flags, transfers: { board, say, parts } }: Hearing): void {
  switch (event.kind) {
    case "start":
      shown.set(
        event.url,
        board.begin({ name: event.path, url: event.url, total: event.size, resumedAt: event.resumedAt }),
      );
      break;
    case "progress":
      shown.get(event.url)?.update(event.bytes);
      break;
    case "done":
      shown.get(event.url)?.update(event.bytes);
      shown.get(event.url)?.done();
      shown.delete(event.url);
      break;
    case "failed": {
      const transfer = shown.get(event.url);
      const words = explainedInLine(event.error);
      if (transfer === undefined)
        board.note(`${printable(event.url)}  failed: ${words}`, { url: event.url, facts: failureFacts(event.error) });
      else transfer.failed(words, event.error);
      shown.delete(event.url);
      break;
    }
    case "part":
      parts.push({ path: join(flags.outputFolder ?? ".", event.path), bytes: event.bytes });
      break;
    case "warning":
      say(`warning: ${printable(event.text)}`);
      break;
    default:
  }
}

/** Why something was left out on purpose. */
const REASONS: Readonly<Record<LeftOutReason, string>> = {
  rejected: "by a pattern",
  robots: "by robots.txt",
  same: "the same here",
  exists: "here already",
  depth: "too deep",
  elsewhere: "elsewhere",
  link: "links",
  special: "no files",
};

function summary({ files, linked, leftOutBy, failures, octets, ms }: FetchReport): string {
  const left = Object.entries(REASONS).flatMap(([why, words]) =>
    Object.entries(leftOutBy).flatMap(([reason, count]) => (reason === why ? [`${count} ${words}`] : [])),
  );
  const parts = [
    `${counted(files, "file")} fetched`,
    ...(linked > 0 ? [`${counted(linked, "link")} made`] : []),
    ...(left.length > 0 ? [`left out: ${left.join(", ")}`] : []),
    ...(failures > 0 ? [`${failures} failed`] : []),
  ];
  return `${parts.join("; ")}; ${shownSize(octets)} in ${ms < 1000 ? `${ms} ms` : shownTime(ms / 1000)}.`;
}

function shownReport({ failed, stopped, ...rest }: FetchReport): Record<string, unknown> {
  return {
    ...rest,
    stopped: stopped?.message ?? null,
    failed: failed.map(({ url, error }) => ({ url, ...failureFacts(error) })),
  };
}
