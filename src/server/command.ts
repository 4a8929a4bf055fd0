/** What a command is: all that the server, FEAT, HELP and the manual know about it, in one value. */
import type { ByteString } from "../base/bytes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Context } from "./context.ts";
import { Refusal } from "./errors.ts";
import type { Session, SignedIn } from "./session.ts";

type SessionFor = { anyone: Session; "signed-in": SignedIn };
export type Access = keyof SessionFor;

export type Facts<A extends Access = Access> = {
  readonly verb: Uppercase<string>;
  /** Other verbs for the same thing: the X-verbs of RFC 775, which RFC 1123 §4.1.3.1 asks servers to know. */
  readonly aliases?: readonly Uppercase<string>[];
  readonly access: A;
  /** Its FEAT lines, if clients may discover it (RFC 2389 §3.2). */
  readonly feature?: (session: Session, context: Context) => readonly string[];
  /** How it touches the data connection: policy reads this fact and never a list of verbs. */
  readonly data?: "active" | "passive" | "extended-passive" | "transfer";
  /** Runs while a transfer does and cannot change the session: "at-once" before lines that wait (ABOR), or "in-turn". */
  readonly urgent?: "at-once" | "in-turn";
  /** Its argument is a secret: never in an event. */
  readonly secret?: true;
  /** Keeps what REST, RNFR and the like have set; only `dispatch` reads it. */
  readonly keepsPending?: true;
  /** `VERB <argument> - what it does`, for HELP. */
  readonly help: string;
  readonly source: `RFC ${number} §${string}` | `draft-${string}` | `SITE ${string}` | `common use: ${string}`;
};

/** Takes a reply; it is on its way to the client when this returns, or waits for the one that follows a 1yz. */
export type Say = (reply: Reply) => void;

export type Call<A extends Access, Argument> = {
  readonly session: SessionFor[A];
  readonly argument: Argument;
  readonly context: Context;
  readonly say: Say;
};
type Definition<A extends Access, Argument> = Facts<A> & {
  /** Throws a Refusal (501 as a rule) for an argument that is none. */
  readonly parse: (argument: ByteString, session: SessionFor[A]) => Argument;
  /** Says replies in order, returns the next session: at once where nothing is waited for. Never writes to a socket. */
  readonly run: (call: Call<A, Argument>) => Session | Promise<Session>;
};
export type Command = Facts & {
  /** @throws {Refusal} for whoever may not, and for an argument that is none. */
  readonly execute: (call: Call<"anyone", ByteString>) => Session | Promise<Session>;
};

const ADMIT: { readonly [A in Access]: (session: Session) => SessionFor[A] } = {
  anyone: (session) => session,
  "signed-in": (session) => {
    if (session.step !== "signed-in") throw new Refusal(530, "Please sign in with USER and PASS first.");
    return session;
  },
};

export function command<A extends Access, Argument>(definition: Definition<A, Argument>): Command {
  const { parse, run, ...facts } = definition;
  return {
    ...facts,
    execute({ session, argument, context, say }) {
      const admitted = ADMIT[facts.access](session);
      return run({ session: admitted, argument: parse(argument, admitted), context, say });
    },
  };
}
