/** One transfer of the liar, step by step in whatever order it was told. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { Step } from "./lies.ts";
import type { LiarWire } from "./liar-wire.ts";

export type DataStream = { readonly wire: LiarWire; readonly stream: Duplex };

export type TransferParts = {
  /** 150, and 226 or what it is in its place. */
  readonly reply: (which: "opening" | "closing", text: string) => Promise<void>;
  /** @throws when no connection comes about, or TLS on it does not. */
  readonly connect: () => Promise<DataStream>;
  /** For a download. */
  readonly content: (() => Iterable<Buffer>) | undefined;
  /** For an upload: all that came. */
  readonly received: (octets: Buffer) => void;
  /** Aborts when the client gives the transfer up (ABOR) or is gone. */
  readonly over: AbortSignal;
  /** Settles when the control connection has ended. */
  readonly gone: Promise<void>;
};

export const USUAL_STEPS: readonly Step[] = ["opening", "connect", "data", "end", "closing"];

export async function carryOut(steps: readonly Step[], parts: TransferParts): Promise<void> {
  let data: DataStream | undefined;
  let isWhole = true;
  const connected = async (): Promise<DataStream> => (data ??= await parts.connect());
  for (const step of steps) {
    if (step === "opening") await parts.reply("opening", "150 Here it comes.");
    else if (step === "deaf") await parts.gone;
    else if (step === "hang") {
      await givenUp(data, parts.over);
      await parts.reply("closing", "426 It was given up.");
    } else if (step === "closing") await parts.reply("closing", isWhole ? "226 Done." : "426 It was cut off.");
    else {
      try {
        isWhole = (await onData(step, await connected(), parts)) && isWhole;
      } catch {
        await parts.reply("closing", "425 No data connection.");
        return;
      }
    }
  }
}

/** Settles with an ABOR, or when the data connection is closed. */
async function givenUp(data: DataStream | undefined, over: AbortSignal): Promise<void> {
  if (over.aborted) return;
  const ends = [once(over, "abort"), ...(data === undefined ? [] : [once(data.stream.resume(), "close")])];
  await Promise.race(ends).catch(() => {});
}

/** @returns whether the transfer can still be whole. */
async function onData(step: Step, { wire, stream }: DataStream, parts: TransferParts): Promise<boolean> {
  if (step === "data" || step === "half") {
    const isHalf = step === "half";
    if (parts.content === undefined) return take(stream, { isHalf, ...parts });
    return give(stream, {
      isHalf,
      content: parts.content,
      isGone: () => wire.isBroken || stream.destroyed || parts.over.aborted,
    });
  }
  if (step === "end") await ended(stream);
  else if (step === "reset") wire.break("reset");
  else if (step === "cut") wire.break("fin");
  return true;
}

async function give(
  stream: Duplex,
  { isHalf, content, isGone }: { isHalf: boolean; content: () => Iterable<Buffer>; isGone: () => boolean },
): Promise<boolean> {
  for (const chunk of content()) {
    if (isGone()) return false;
    await written(stream, isHalf ? chunk.subarray(0, chunk.length >> 1) : chunk);
    if (isHalf) return !isGone();
  }
  return !isGone();
}

async function take(
  stream: Duplex,
  { isHalf, received, over }: Pick<TransferParts, "received" | "over"> & { isHalf: boolean },
): Promise<boolean> {
  const chunks: Buffer[] = [];
  const done = new AbortController();
  const { signal } = done;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (isHalf) done.abort();
  });
  if (!stream.readableEnded && !stream.destroyed) {
    const ends = [once(stream, "end", { signal }), once(stream, "close", { signal }), once(over, "abort", { signal })];
    await Promise.race(ends).catch(() => {});
  }
  done.abort();
  received(Buffer.concat(chunks));
  return stream.readableEnded || isHalf;
}

/** Settles when it is on its way, or never will be. */
async function written(stream: Duplex, octets: Buffer): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      stream.off("close", finish);
      resolve();
    };
    stream.once("close", finish);
    stream.write(octets, finish);
  });
}

/** Ends our side; what the client still sends is forgotten. */
async function ended(stream: Duplex): Promise<void> {
  if (stream.destroyed) return;
  stream.resume();
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.end(() => resolve());
  });
}
