/** One segment of a file over one data connection: from where it is to where it ends, or to what others have left of it. */
import type { RateLimiter } from "../../net/rate-limiter.ts";
import type { DataTransport } from "../../net/transport.ts";
import { FtpError } from "../errors.ts";
import type { Hub } from "../hub.ts";
import type { FtpSession } from "../session.ts";
import type { TransferEnd } from "../transfer-plan.ts";
import type { Segment, SegmentPlan } from "./plan.ts";
import type { SegmentFile } from "./segment-file.ts";

export type Place = { readonly hub: Hub; readonly path: string };

export type SegmentTerms = {
  readonly plan: SegmentPlan;
  readonly file: SegmentFile;
  /** One rate for all segments. */
  readonly limiter: RateLimiter | undefined;
  readonly signal: AbortSignal;
  /** Hears of octets that were not there before. */
  readonly moved: (octets: number) => void;
};

/** The server sends from the start of the file whatever it is told, so no part of it can be had. */
export class NoRestart extends FtpError {}

/**
 * Ends early where another connection has taken over the rest: what the server calls that (426, 451) is no fault.
 * @throws {FtpError}; `TAKEN_OVER` when all of the rest was taken over; the signal's reason.
 */
export async function loadSegment(
  session: FtpSession,
  { hub, path }: Place,
  segment: Segment,
  { plan, file, limiter, signal, moved }: SegmentTerms,
): Promise<TransferEnd<void>> {
  const { at, end } = segment;
  const done = await session.transfer({
    command: `RETR ${path}`,
    direction: "in",
    type: "I",
    offset: at,
    end,
    what: `cannot get ${path} from octet ${at} on`,
    throttle: hub.throttle(limiter),
    signal: AbortSignal.any([signal, segment.stop]),
    isPart: true,
    move: async (transport) => {
      while (segment.at < segment.end) {
        const chunks = await transport.receive();
        if (chunks.length === 0) return;
        for (const [index, chunk] of chunks.entries()) {
          const wanted = chunk.subarray(0, Math.max(segment.end - segment.at, 0));
          await file.write(wanted, segment.at);
          // The buffer is taken back, and has no length any more, once more is asked for.
          const { length } = wanted;
          // Before the last of it counts as done: behind it there is nothing, unless the start of the file was sent.
          const isLast = segment.at + length === plan.size;
          const isMore = length < chunk.length || index < chunks.length - 1;
          if (isLast && (isMore || (await hasMore(transport)))) throw tooMuch(path, plan.size);
          moved(plan.wrote(segment, length));
        }
      }
    },
  });
  if (segment.at < segment.end) {
    throw new FtpError("RESET", `${path} ended at octet ${segment.at}, and ${segment.end} were to come`, {
      phase: "transfer",
      connection: "data",
      reply: done.reply,
    });
  }
  return done;
}

async function hasMore(transport: DataTransport): Promise<boolean> {
  return (await transport.receive()).length > 0;
}

function tooMuch(path: string, size: number): NoRestart {
  return new NoRestart("MISMATCH", `more came of ${path} than its ${size} octets`, {
    phase: "transfer",
    connection: "data",
    command: `RETR ${path}`,
    retryable: false,
    hint: "the file has grown meanwhile, or the server does not do as REST says",
  });
}

/** Octets of a part of a file, for comparisons. @returns fewer where the file ends. */
export async function readPart(
  { hub, path }: Place,
  { start, end }: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): Promise<Buffer> {
  return await hub.call(
    async (session) => {
      const chunks: Buffer[] = [];
      let left = end - start;
      await session.transfer({
        command: `RETR ${path}`,
        direction: "in",
        type: "I",
        offset: start,
        end,
        what: `cannot look at ${path}`,
        throttle: hub.throttle(undefined),
        signal,
        isPart: true,
        move: async (transport) => {
          while (left > 0) {
            const came = await transport.receive();
            if (came.length === 0) return;
            for (const chunk of came) {
              chunks.push(Buffer.from(chunk.subarray(0, left)));
              left -= Math.min(chunk.length, left);
            }
          }
        },
      });
      return Buffer.concat(chunks);
    },
    { signal },
  );
}
