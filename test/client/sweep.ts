/**
 * A whole call with the connection broken after its k-th octet, for every k: of what the server sends and of what it gets,
 * on the control connection and on the data connection, by a reset and by an end that looks orderly.
 */
import { type Act, CAREFUL, endure } from "./unharmed.ts";
import type { ConnectOptions } from "../../src/client/types.ts";
import type { FtpErrorCode } from "../../src/client/errors.ts";
import { Liar, type LiarWishes } from "./liar.ts";
import type { BreakKind } from "./liar-wire.ts";
import type { Lies } from "./lies.ts";

export type Sweep = {
  readonly act: Act;
  readonly liar?: LiarWishes;
  readonly options?: ConnectOptions;
  /** How many connections are broken in each try. Default: all. */
  readonly breaks?: number;
  /** Codes of errors that a try may end with. Default: any of the library's. */
  readonly mayEnd?: readonly FtpErrorCode[];
  /** Only one octet of so many is tried, from a place that differs with the kind of the break. Default 1. */
  readonly every?: number;
};

const CONNECTIONS = ["control", "data"] as const;
const DIRECTIONS = ["sent", "received"] as const;
const KINDS: readonly BreakKind[] = ["reset", "fin"];

/** @returns how many breaks were tried. @throws with the place of the break that did harm. */
export async function sweep({
  act,
  breaks,
  mayEnd,
  liar: wishes = {},
  options = CAREFUL,
  every = 1,
}: Sweep): Promise<number> {
  const counts = await measured({ act, wishes, options });
  let tried = 0;
  await using liar = await Liar.start(wishes);
  for (const connection of CONNECTIONS) {
    for (const of of DIRECTIONS) {
      for (const [index, how] of KINDS.entries()) {
        const first = 1 + ((index * every) >> 1);
        for (let after = first; after <= counts[connection][of]; after += every) {
          const planned = { of, after, how };
          const lies: Lies = connection === "control" ? { breakControl: planned } : { breakData: planned };
          liar.behave({ ...wishes.lies, ...lies, ...(breaks === undefined ? {} : { breaks }) });
          tried += 1;
          try {
            const error = await endure(liar, { act, options });
            if (error !== undefined && mayEnd?.includes(error.code) === false) throw error;
          } catch (error) {
            const place = `${how} after octet ${after} of ${counts[connection][of]} ${of} on the ${connection} connection`;
            throw new Error(`${place}, having heard ${liar.verbs.join(" ")}`, { cause: error });
          }
        }
      }
    }
  }
  return tried;
}

/** Octets of the call when nothing breaks. */
async function measured({
  act,
  wishes,
  options,
}: {
  act: Act;
  wishes: LiarWishes;
  options: ConnectOptions;
}): Promise<Liar["counts"]> {
  await using liar = await Liar.start(wishes);
  await endure(liar, { act, options, ends: "well" });
  return liar.counts;
}
