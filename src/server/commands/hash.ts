import { DIGEST_NAMES } from "../../protocol/digest.ts";
import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { longWork } from "../long-work.ts";

export const hash: Command = command({
  verb: "HASH",
  access: "signed-in",
  feature: (session) => {
    const chosen = session.step === "signed-in" ? session.digest : "SHA-256";
    return [`HASH ${DIGEST_NAMES.map((name) => (name === chosen ? `${name}*` : name)).join(";")}`];
  },
  help: "HASH <path> - the digest of a file, or of what RANG chose; OPTS HASH chooses the algorithm",
  source: "draft-bryan-ftpext-hash-02 §3",
  parse: (typed, session) => ({ typed, path: pathArgument(typed, session) }),
  async run({ session, argument: { typed, path }, context, say }) {
    const { range } = session.pending ?? {};
    const asked = { name: session.digest, start: range?.start ?? 0, end: range?.end };
    const { hex, start, end } = await longWork(context, path, async (signal) =>
      session.workspace.hash(path, { ...asked, signal }),
    );
    say(reply(213, `${session.digest} ${start}-${Math.max(end - 1, 0)} ${hex} ${typed}`));
    return session;
  },
});
