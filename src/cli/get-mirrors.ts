/** `ferryman get --mirror`: one file from several servers at the same time, in segments. */
import { setTimeout as delay } from "node:timers/promises";
import { FtpError } from "../client/errors.ts";
import { type SegmentSource, segmentedDownload } from "../client/segments/segmented.ts";
import type { DownloadOptions } from "../client/types.ts";
import { hasGlob } from "../protocol/glob.ts";
import { formatFtpUrl, parseFtpUrl } from "../client/url.ts";
import { CliError, EXIT } from "./exit.ts";
import { explainedInLine } from "./remote/failure.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { type Reached, demandPath, isRemote, reach } from "./remote/reach.ts";
import { type Transfers, transferOne } from "./remote/transfers.ts";

/** Milliseconds for the other servers, once one has signed us in: a dead one must not hold up those that are well. */
const LATE_MS = 5_000;

export type MirrorWork = {
  readonly flags: RemoteFlags;
  readonly transfers: Transfers;
  readonly options: DownloadOptions;
  /** Where the file goes to. */
  readonly target: (path: string) => Promise<string>;
};

/**
 * @param urls the first one names the file; of others that end in `/` it is the folder.
 * @throws {FtpError} of the first one, when none can be reached; MISMATCH where two files are not the same.
 */
export async function getFromMirrors(urls: readonly string[], work: MirrorWork): Promise<void> {
  const { flags, transfers, options, target } = work;
  const { signal } = transfers;
  const whole = namedLike(urls);
  await using servers = await reachEach(whole, { flags, transfers });
  const [first] = servers.reached;
  if (first === undefined) throw servers.fault;
  const to = await target(first.path);
  const sources: readonly SegmentSource[] = servers.reached.map(({ client, path }) => ({ client, path }));
  await transferOne(
    {
      name: first.path,
      url: formatFtpUrl(first.url),
      run: async (onProgress, onPart) =>
        await segmentedDownload(sources, to, {
          ...options,
          segments: options.segments ?? "auto",
          mustAgree: true,
          signal,
          onProgress,
          onPart,
        }),
    },
    transfers,
  );
}

function namedLike(urls: readonly string[]): readonly string[] {
  const name = urls[0]?.split(/[/;]/).findLast((part) => !part.startsWith("type=")) ?? "";
  return urls.map((url) => {
    const whole = url.endsWith("/") ? `${url}${name}` : url;
    // A bookmark's name is no URL; what it stands for is looked at later.
    const path = isRemote(whole) ? demandPath(parseFtpUrl(whole), "file") : whole;
    if (hasGlob(path)) throw new CliError("--mirror goes with one file, and not with a pattern.", EXIT.usage);
    return whole;
  });
}

type Servers = AsyncDisposable & {
  /** In the order of the URLs. */
  readonly reached: readonly Reached[];
  /** Why the first one is not among them. */
  readonly fault: unknown;
};

/** All at the same time; who fails or is late is left out, with a note. */
async function reachEach(
  urls: readonly string[],
  { flags, transfers }: Pick<MirrorWork, "flags" | "transfers">,
): Promise<Servers> {
  const late = new AbortController();
  const signal = AbortSignal.any([transfers.signal, late.signal]);
  const trying = urls.map(async (url) => await reach(url, flags, { say: transfers.say, signal }));
  const hurry = new AbortController();
  void Promise.any(trying)
    .then(async () => await delay(LATE_MS, undefined, { signal: hurry.signal, ref: false }))
    .then(
      () => late.abort(new FtpError("TIMEOUT", `it did not sign us in within ${LATE_MS / 1000} s`, { phase: "login" })),
      () => {},
    );
  const outcomes = await Promise.allSettled(trying);
  hurry.abort();
  const reached = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(reached.map(async (server) => await server[Symbol.asyncDispose]()));
  };
  const faults = outcomes.map((outcome): unknown => (outcome.status === "rejected" ? outcome.reason : undefined));
  const fatal = faults.find((fault) => fault !== undefined && !(fault instanceof FtpError && fault.code !== "USAGE"));
  if (fatal !== undefined || transfers.signal.aborted) {
    await close();
    throw transfers.signal.aborted ? transfers.signal.reason : fatal;
  }
  for (const [at, fault] of faults.entries()) {
    if (reached.length > 0 && fault instanceof FtpError) {
      const host = parseFtpUrl(urls[at] ?? "", { lenient: true }).host;
      transfers.say(`note: ${host} is left out: ${explainedInLine(fault)}`);
    }
  }
  return { reached, fault: faults[0], [Symbol.asyncDispose]: close };
}
