/** The requests about bans: their questions and answers, as server and command line both know them. */
import { z } from "zod";
import type { Ban } from "../guard/ban.ts";
import type { BanOutcome } from "../guard/bans.ts";
import type { Guard } from "../guard/guard.ts";
import { ControlProblem, type Handlers, handler } from "./handlers.ts";

const ban = z.object({
  target: z.string(),
  kind: z.enum(["network", "account"]),
  reason: z.string(),
  /** Milliseconds since 1970. */
  since: z.number(),
  /** Absent: until it is lifted. */
  until: z.number().optional(),
  automatic: z.boolean(),
  repeat: z.number(),
});

export const BAN_ANSWERS = { list: z.array(ban), add: ban, lift: ban } as const;
export type ShownBan = z.infer<typeof ban>;

/** Longest text that names a target: an account's name is a line of a client at most. */
const target = z.string().min(1).max(1_024);

/** What of a guard these requests use; a broker's guard lives in another process than the listener. */
export type BanKeeper = Pick<Guard, "ban" | "lift" | "bans">;

export function banHandlers(guard: BanKeeper): Handlers {
  return {
    "ban.list": handler(z.strictObject({}), () => guard.bans()),
    "ban.add": handler(
      z.strictObject({ target, seconds: z.int().min(1).optional(), reason: z.string().max(1_024).optional() }),
      (about) => done(guard.ban(about.target, { seconds: about.seconds, reason: about.reason })),
    ),
    "ban.lift": handler(z.strictObject({ target }), (about) => done(guard.lift(about.target))),
  };
}

function done(outcome: BanOutcome): Ban {
  if (!outcome.ok) throw new ControlProblem(outcome.problem);
  return outcome.ban;
}
