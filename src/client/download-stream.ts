/** Files from the server to a stream, which cannot take back what it has: a try goes on behind the one before. */
import type { Writable } from "node:stream";
import { Run, factsOf, isSame, wantedSize } from "./download.ts";
import { FtpError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { receiveIntoStream } from "./octets.ts";
import type { FtpSession } from "./session.ts";
import type { DownloadOptions, Transferred } from "./types.ts";
import { sizeMismatch } from "./verify.ts";

export async function downloadToStream(
  hub: Hub,
  path: string,
  to: Writable,
  options: DownloadOptions,
): Promise<Transferred> {
  const { start = 0, verify, type } = options;
  const run = new Run(options);
  run.resumedAt = start;
  const isVerified = verify !== false && type !== "ascii";
  if (isVerified) run.facts = await factsOf(hub, path, options);
  const wanted = isVerified ? wantedSize(run.facts.size, options) : undefined;
  run.total = wanted === undefined ? undefined : start + wanted;
  const job = { hub, path, to, run, wanted };
  await hub.call(async (session, { signal, attempt }) => {
    const isAgain = attempt > 1 && run.bytes > 0 && isVerified;
    if (isAgain && !(await isSame(path, run.facts, { hub, session, signal }))) {
      throw new FtpError("MISMATCH", `${path} changed while it was fetched`, { phase: "transfer", retryable: false });
    }
    await goOn(job, session, signal);
  }, options);
  return run.end(wanted === undefined ? false : "size");
}

type Job = {
  readonly hub: Hub;
  readonly path: string;
  readonly to: Writable;
  readonly run: Run;
  readonly wanted: number | undefined;
};

async function goOn(
  { hub, path, to, run, wanted }: Job,
  session: FtpSession,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { start = 0, end, type, rate } = run.options;
  const offset = start + run.bytes;
  const most = end === undefined ? Number.POSITIVE_INFINITY : end - offset;
  if (most <= 0 || (wanted !== undefined && wanted > 0 && run.bytes >= wanted)) return;
  const done = await session.transfer({
    command: `RETR ${path}`,
    direction: "in",
    type: type === "ascii" ? "A" : "I",
    offset,
    mayDrop: true,
    what: `cannot get ${path}`,
    throttle: hub.throttle(rate),
    signal,
    isPart: end !== undefined,
    move: async (transport, life) =>
      await receiveIntoStream(transport, to, { moved: run.counter(life), most, signal: life.signal }),
  });
  run.mode = done.mode;
  run.isPrivate = done.isPrivate;
  run.reply = done.reply;
  if (wanted !== undefined && run.bytes < wanted) throw sizeMismatch(`${path} came in part`, wanted, run.bytes);
  if (done.reply !== undefined || wanted !== undefined) return;
  const text = `the control connection was lost before ${path} was said to be whole`;
  throw new FtpError("RESET", text, { phase: "finish" });
}
