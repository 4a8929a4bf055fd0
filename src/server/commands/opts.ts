import { DIGEST_NAMES } from "../../protocol/digest.ts";
import { formatFactNames, parseFactNames } from "../../protocol/facts.ts";
import { type ReplyCode, reply } from "../../protocol/reply.ts";
import { splitWord } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import type { Settings } from "../context.ts";
import type { Session, SignedIn } from "../session.ts";

type Answer = { readonly session: Session; readonly code: ReplyCode; readonly text: string };

/** What may be set, by the name of the command (RFC 2389 §4). */
const SETTERS: Readonly<Record<string, (session: Session, value: string, settings: Settings) => Answer>> = {
  UTF8: (session, value) => {
    if (value !== "" && value.toUpperCase() !== "ON") {
      throw new Refusal(504, "UTF8 is always on: names are sent as they are stored.");
    }
    return { session, code: 200, text: "UTF8 is on." };
  },
  MLST: (session, value) => {
    const facts = parseFactNames(value);
    if (facts === undefined) throw new Refusal(501, "OPTS MLST needs names of facts, each with a semicolon.");
    return { session: { ...demand(session), facts }, code: 200, text: `MLST OPTS ${formatFactNames(facts)}`.trimEnd() };
  },
  HASH: (session, value) => {
    const admitted = demand(session);
    if (value === "") return { session, code: 200, text: admitted.digest };
    const digest = DIGEST_NAMES.find((name) => name === value.toUpperCase());
    if (digest === undefined) throw new Refusal(504, `Unknown algorithm: ${DIGEST_NAMES.join(", ")} are known.`);
    return { session: { ...admitted, digest }, code: 200, text: digest };
  },
  MODE: (session, value, { compression }) => {
    const admitted = demand(session);
    const [mode = "", ...pairs] = value.toUpperCase().split(/\s+/);
    if (mode !== "Z" || !compression) throw new Refusal(504, `No mode${compression ? " but Z" : ""} has options here.`);
    return setDeflate(admitted, pairs);
  },
};

/** Of `ENGINE ZLIB`, `METHOD 8` and `LEVEL n`, in any order; none of them asks what is set. draft-preston-ftpext-deflate-04 §3.4. */
function setDeflate(session: SignedIn, pairs: readonly string[]): Answer {
  let { deflateLevel } = session;
  for (let at = 0; at < pairs.length; at += 2) {
    const pair = `${pairs[at]} ${pairs[at + 1]}`;
    if (pair === "ENGINE ZLIB" || pair === "METHOD 8") continue;
    const [, level] = /^LEVEL ([1-9])$/.exec(pair) ?? [];
    if (level === undefined) throw new Refusal(501, "OPTS MODE Z knows LEVEL 1 to 9, ENGINE ZLIB and METHOD 8.");
    deflateLevel = Number(level);
  }
  return {
    session: { ...session, deflateLevel },
    code: 200,
    text: `MODE Z ENGINE set to ZLIB, METHOD 8, LEVEL ${deflateLevel}.`,
  };
}

function demand(session: Session): SignedIn {
  if (session.step !== "signed-in") throw new Refusal(530, "Please sign in with USER and PASS first.");
  return session;
}

export const opts: Command = command({
  verb: "OPTS",
  access: "anyone",
  keepsPending: true,
  help: "OPTS <command> [value] - set how a command behaves: UTF8, MLST, HASH, MODE Z",
  source: "RFC 2389 §4",
  parse(argument) {
    const [name, value] = splitWord(argument);
    const set = SETTERS[name.toUpperCase()];
    if (set === undefined) throw new Refusal(501, "OPTS knows UTF8, MLST, HASH and MODE Z.");
    return { set, value: value.trim() };
  },
  run({ session, argument: { set, value }, context, say }): Session {
    const answer = set(session, value, context.settings);
    say(reply(answer.code, answer.text));
    return answer.session;
  },
});
