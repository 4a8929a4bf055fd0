/** A file from one server to another through us: what comes in goes out, and nothing is read that the target cannot take. */
import type { DataTransport } from "../../net/transport.ts";
import { dataFault } from "../data-faults.ts";
import { FtpError, type DataMode, type FtpReply } from "../errors.ts";
import type { Hub } from "../hub.ts";
import type { TransferEnd } from "../transfer-plan.ts";
import type { Pair } from "./two-sessions.ts";

export type RelayPlan = {
  readonly hubs: { readonly from: Hub; readonly to: Hub };
  readonly fromPath: string;
  readonly toPath: string;
  /** Where it goes on: what the target has of it already. */
  readonly offset: number;
  /** Of the whole file, where it is known: a shorter one is not given to the target as whole. */
  readonly size: number | undefined;
  readonly rate: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Octets that the target's side has taken. */
  readonly moved: (octets: number) => void;
};

export type RelayEnd = { readonly mode: DataMode; readonly isPrivate: boolean; readonly reply: FtpReply | undefined };

/** The source is asked first: what it does not give costs the target nothing. @throws {FtpError}, or the signal's reason. */
export async function relay({ from, to }: Pair, plan: RelayPlan): Promise<RelayEnd> {
  const { hubs, fromPath, toPath, offset, size, signal, moved } = plan;
  const source = await from.transfer<TransferEnd<void>>({
    command: `RETR ${fromPath}`,
    direction: "in",
    type: "I",
    offset,
    what: `cannot get ${fromPath}`,
    throttle: hubs.from.throttle(plan.rate),
    signal,
    move: async (incoming) =>
      await to.transfer({
        command: `${offset > 0 ? "APPE" : "STOR"} ${toPath}`,
        direction: "out",
        type: "I",
        what: `cannot put ${toPath}`,
        throttle: hubs.to.throttle(undefined),
        signal,
        move: async (outgoing) => {
          let at = offset;
          for (;;) {
            const chunks = await receiveFrom(incoming, fromPath);
            if (chunks.length === 0) break;
            for (const chunk of chunks) {
              await outgoing.send(chunk, moved);
              at += chunk.length;
            }
          }
          if (at < (size ?? 0)) throw endedEarly(fromPath, at, size);
          await outgoing.finish();
        },
      }),
  });
  const target = source.value;
  if (source.reply === undefined || target.reply === undefined)
    throw unsaid(source.reply === undefined ? fromPath : toPath);
  return { mode: source.mode, isPrivate: source.isPrivate && target.isPrivate, reply: target.reply };
}

/** Its fault is not the target's, whose transfer this happens in. */
async function receiveFrom(incoming: DataTransport, path: string): Promise<readonly Buffer[]> {
  try {
    return await incoming.receive();
  } catch (error) {
    throw (
      dataFault(error, `cannot get ${path}`, { phase: "transfer", connection: "data", command: `RETR ${path}` }) ??
      error
    );
  }
}

function endedEarly(path: string, at: number, size: number | undefined): FtpError {
  return new FtpError("RESET", `${path} ended at octet ${at}, and ${size} were to come`, {
    phase: "transfer",
    connection: "data",
    command: `RETR ${path}`,
    bytes: at,
  });
}

function unsaid(path: string): FtpError {
  return new FtpError("RESET", `the control connection was lost before ${path} was said to be whole`, {
    phase: "finish",
  });
}
