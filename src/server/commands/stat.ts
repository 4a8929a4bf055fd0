import { parseListArguments } from "../../protocol/list-arguments.ts";
import { quotePath, reply } from "../../protocol/reply.ts";
import { showEndpoint } from "../../net/addresses.ts";
import { type Command, command } from "../command.ts";
import type { Context } from "../context.ts";
import { Refusal } from "../errors.ts";
import { isFolder, listLines } from "../listing.ts";
import { type Session, commonOf } from "../session.ts";
import type { TlsChannel } from "../tls-channel.ts";
import { modeName } from "../transfer-mode.ts";

/** Lines of a listing on the control connection; a larger folder is what LIST is for. */
const LINES_SHOWN = 10_000;

export const stat: Command = command({
  verb: "STAT",
  access: "anyone",
  urgent: "in-turn",
  keepsPending: true,
  help: "STAT [path] - how this session stands, or a listing over the control connection",
  source: "RFC 959 §4.1.3",
  parse: (argument) => ({ asked: argument !== "", ...parseListArguments(argument) }),
  async run({ session, argument: { asked, flags, path }, context, say }): Promise<Session> {
    if (!asked) {
      say(reply(211, "Ferryman FTP server status:", ...statusOf(session, context), "End of status"));
      return session;
    }
    if (session.step !== "signed-in") throw new Refusal(530, "Please sign in with USER and PASS first.");
    const code = (await isFolder(session, path)) ? 212 : 213;
    const lines: string[] = [];
    for await (const batch of listLines(session, { flags, target: path, form: "long", now: context.now() })) {
      lines.push(...batch.split("\r\n").filter((line) => line !== ""));
      if (lines.length > LINES_SHOWN) break;
    }
    const shown = lines.slice(0, LINES_SHOWN).map((line) => ` ${line}`);
    say(
      reply(
        code,
        "Status follows:",
        ...shown,
        lines.length > LINES_SHOWN ? "End of status; LIST shows the rest" : "End of status",
      ),
    );
    return session;
  },
});

function statusOf(session: Session, { peer, local, tls, data, running, idleSeconds }: Context): string[] {
  const lines = [` Connected from ${showEndpoint(peer)} to ${showEndpoint(local)}`];
  lines.push(tlsLine(session, tls));
  if (session.step === "signed-in") {
    lines.push(` Signed in as ${session.workspace.account.anonymous ? "anonymous" : "a user"}`);
    lines.push(` Current directory: ${quotePath(session.cwd)}`);
    lines.push(` TYPE: ${session.type === "ascii" ? "ASCII" : "Image"}; STRU: File; MODE: ${modeName(session)}`);
  } else {
    lines.push(" Not signed in");
  }
  const { progress } = running;
  if (progress !== undefined) {
    lines.push(
      ` Transfer under way: ${progress.direction} of ${quotePath(progress.path)}, ${progress.octets()} bytes so far`,
    );
  } else {
    lines.push(data.planned === "none" ? " No data connection" : ` A data connection is planned: ${data.planned}`);
  }
  lines.push(` Session timeout in seconds is ${idleSeconds}`);
  return lines;
}

function tlsLine(session: Session, { facts }: TlsChannel): string {
  const { security } = commonOf(session);
  if (security === undefined || facts === undefined) return " No TLS: passwords and files go in clear";
  const control = security.control === "private" ? "control connection private" : "control connection in clear (CCC)";
  const data = security.prot === "private" ? "data connections private" : "data connections in clear";
  return ` ${facts.protocol}, ${facts.cipher}: ${control}, ${data}`;
}
