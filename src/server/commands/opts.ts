import { DIGEST_NAMES } from "../../protocol/digest.ts";
import { formatFactNames, parseFactNames } from "../../protocol/facts.ts";
import { type Reply, type ReplyCode, reply } from "../../protocol/reply.ts";
import { splitWord } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import type { Session, SignedIn } from "../session.ts";

type Answer = { readonly session: Session; readonly code: ReplyCode; readonly text: string };

/** What may be set, by the name of the command (RFC 2389 §4). */
const SETTERS: Readonly<Record<string, (session: Session, value: string) => Answer>> = {
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
};

function demand(session: Session): SignedIn {
  if (session.step !== "signed-in") throw new Refusal(530, "Please sign in with USER and PASS first.");
  return session;
}

export const opts: Command = command({
  verb: "OPTS",
  access: "anyone",
  keepsPending: true,
  help: "OPTS <command> [value] - set how a command behaves: UTF8, MLST, HASH",
  source: "RFC 2389 §4",
  parse(argument) {
    const [name, value] = splitWord(argument);
    const set = SETTERS[name.toUpperCase()];
    if (set === undefined) throw new Refusal(501, "OPTS knows UTF8, MLST and HASH.");
    return { set, value: value.trim() };
  },
  async *run({ session, argument: { set, value } }): AsyncGenerator<Reply, Session, void> {
    const answer = set(session, value);
    yield reply(answer.code, answer.text);
    return answer.session;
  },
});
