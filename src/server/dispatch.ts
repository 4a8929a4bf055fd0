/** One command line: found, admitted, run. Never throws, so that a session outlives any one command. */
import { faultDetail } from "../base/fault-text.ts";
import type { ByteString } from "../base/bytes.ts";
import { type CommandLine, parseCommandLine } from "../protocol/command-line.ts";
import { reply } from "../protocol/reply.ts";
import { TlsFailed } from "../net/tls/handshake.ts";
import type { Command, Say } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import type { Context } from "./context.ts";
import { FILE_SYSTEM_RULE, Refusal, isFault, replyToError } from "./errors.ts";
import { StorageError } from "../workspace/files.ts";
import { isTraversal, offenceOfRule } from "./offences.ts";
import type { Pending, Session } from "./session.ts";

export type Order = CommandLine & { readonly command: Command | undefined };

/** What a line asks for; undefined when it is no command line at all. */
export function readOrder(line: ByteString): Order | undefined {
  const parsed = parseCommandLine(line);
  if (parsed === undefined) return undefined;
  const { verb, argument } = parsed;
  return { verb, argument, command: COMMANDS.get(verb) };
}

/** Verbs of HTTP: whoever sends them was led here by a web page and means no harm, or does (attack 11). */
const HTTP_VERBS: ReadonlySet<string> = new Set([
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "PATCH",
  "TRACE",
  "PRI",
]);

/** How a line's outcome reaches the client, and everything else that it may use. */
export type Surroundings = { readonly context: Context; readonly say: Say };

/** @returns the next session: at once if the command waited for nothing, as most of a small file's do. */
export function dispatch(
  session: Session,
  order: Order | undefined,
  { context, say }: Surroundings,
): Session | Promise<Session> {
  if (order === undefined) {
    context.authority.offence(context.id, "not-ftp");
    // The line is not repeated: a reply that reflects it could be read as HTML by a browser (attack 12).
    say(reply(500, "Syntax error: a line is a command of letters, then a space and its argument."));
    return dropPending(session, session);
  }
  const { command, verb, argument } = order;
  if (command === undefined) {
    if (HTTP_VERBS.has(verb)) {
      context.authority.offence(context.id, "http-verb");
      say(reply(421, "This is an FTP server, not a web server."));
      return { step: "closing" };
    }
    say(reply(500, "Unknown command; HELP lists what this server knows."));
    return dropPending(session, session);
  }
  if (isTraversal(session, argument)) context.authority.offence(context.id, "traversal");
  const settled = (next: Session): Session => (command.keepsPending === true ? next : dropPending(session, next));
  const failed = (error: unknown): Session => {
    report(error, { verb, context });
    say(replyToError(error));
    // What a refused SIZE or EPSV stood before is still to come: RETR after REST must not begin at 0.
    return settled(session);
  };
  try {
    applyPolicy(command, session);
    const next = command.execute({ session, argument, context, say });
    return next instanceof Promise ? next.then(settled).catch(failed) : settled(next);
  } catch (error) {
    return failed(error);
  }
}

/** Rules about commands that read facts alone. */
function applyPolicy(command: Command, session: Session): void {
  const setsUp = command.data === "active" || command.data === "passive";
  if (setsUp && session.step !== "closing" && session.epsvAll === true) {
    throw new Refusal(503, "EPSV ALL is in force: only EPSV sets up data connections now.", "epsv-all");
  }
}

function report(error: unknown, { verb, context }: { verb: string; context: Context }): void {
  const facts = context.facts();
  if (error instanceof Refusal && error.rule !== undefined) {
    context.emit({ ...facts, type: "refused", rule: error.rule, verb, at: context.now() });
    const offence = offenceOfRule(error.rule);
    if (offence !== undefined) context.authority.offence(context.id, offence);
  }
  if (error instanceof StorageError && error.fault === "denied") {
    // Else the log would only have the 550, and whoever looks for the cause would look at accounts.
    context.emit({ ...facts, type: "refused", rule: FILE_SYSTEM_RULE, verb, at: context.now() });
  }
  if (error instanceof TlsFailed) {
    context.emit({ ...facts, type: "tls.failed", reason: error.message, at: context.now() });
    context.authority.offence(context.id, "tls-failed");
  }
  // What was under way when the session ended ends with it.
  if (!isFault(error) || (context.signal.aborted && error === context.signal.reason)) return;
  const detail = faultDetail(error);
  context.emit({ type: "server.fault", detail, session: facts.session, at: context.now() });
}

/** A half of a pair that this command did not set is gone after it (RFC 959 §4.1.3 REST, RNFR). */
function dropPending(before: Session, after: Session): Session {
  if (after.step !== "signed-in" || after.pending === undefined) return after;
  const old: Pending | undefined = before.step === "signed-in" ? before.pending : undefined;
  if (after.pending !== old) return after;
  const { pending: _done, ...rest } = after;
  return rest;
}
