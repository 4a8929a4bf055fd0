import { faultMessage } from "../../base/fault-text.ts";
import type { Account } from "../../account/account.ts";
import type { ByteString } from "../../base/bytes.ts";
import { FACTS } from "../../protocol/facts.ts";
import { ROOT } from "../../protocol/path.ts";
import { type Reply, reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import type { Context } from "../context.ts";
import { Refusal } from "../errors.ts";
import { TRIES_PER_SESSION } from "../login-throttle.ts";
import { type Named, type Session, commonOf } from "../session.ts";
import type { Workspace } from "../../workspace/workspace.ts";

export const pass: Command = command({
  verb: "PASS",
  access: "anyone",
  secret: true,
  help: "PASS <password> - sign in",
  source: "RFC 959 §4.1.1",
  parse: (argument) => argument,
  async *run({ session, argument, context }) {
    if (session.step === "signed-in") {
      yield reply(202, "Already signed in; USER starts another login.");
      return session;
    }
    if (session.step !== "named") throw new Refusal(503, "USER comes first.");
    return yield* signIn(session, { password: argument, context });
  },
});

type Try = { readonly password: ByteString; readonly context: Context };

async function* signIn(session: Named, { password, context }: Try): AsyncGenerator<Reply, Session, void> {
  const { peer, throttle } = context;
  if (throttle.isRefused(peer.address, context.now())) {
    yield reply(421, "Too many failed logins from your address; try again in some minutes.");
    return { step: "closing" };
  }
  const result = await context.login.authenticate({ name: session.user, password, from: peer.address });
  if (result.kind === "busy") {
    yield reply(421, "Too many logins at this moment; try again in some seconds.");
    return { step: "closing" };
  }
  if (result.kind === "refused") return yield* fail(session, { reason: result.reason, context });
  const workspace = await open(result.account, context);
  if (typeof workspace === "string") return yield* fail(session, { reason: workspace, context });
  throttle.succeeded(peer.address);
  context.emit({ ...context.facts(), type: "login.accepted", at: context.now() });
  yield reply(230, result.account.anonymous ? "Anonymous access granted." : "Signed in.");
  const { failures: _forgotten, ...common } = commonOf(session);
  return {
    ...common,
    step: "signed-in",
    workspace,
    cwd: ROOT,
    // RFC 959 §3.1.1.1: ASCII is the default type.
    type: "ascii",
    facts: new Set(FACTS),
    digest: "SHA-256",
  };
}

/** @returns the workspace, or for the log why there is none (attack 30: never a folder other than the account's). */
async function open(account: Account, context: Context): Promise<Workspace | string> {
  try {
    return await context.openWorkspace(account);
  } catch (error) {
    return `the home of ${account.name} cannot be opened: ${faultMessage(error)}`;
  }
}

type Failure = { readonly reason: string; readonly context: Context };

async function* fail(session: Named, { reason, context }: Failure): AsyncGenerator<Reply, Session, void> {
  const now = context.now();
  context.emit({ ...context.facts(), type: "login.failed", name: session.user, reason, at: now });
  await context.throttle.failed(context.peer.address, { now, signal: context.signal });
  const failures = (session.failures ?? 0) + 1;
  if (failures >= TRIES_PER_SESSION) {
    yield reply(421, "Too many failed logins; closing the control connection.");
    return { step: "closing" };
  }
  yield reply(530, "Login incorrect.");
  return { ...commonOf(session), step: "greeted", failures };
}
