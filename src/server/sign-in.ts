/** From a name and its proof to a session that is signed in: what USER (with a certificate) and PASS have in common. */
import type { Account } from "../account/account.ts";
import { nameOfClient } from "../account/names.ts";
import { DEFLATE_LEVEL } from "../net/limits.ts";
import { faultMessage } from "../base/fault-text.ts";
import type { ByteString } from "../base/bytes.ts";
import { FACTS } from "../protocol/facts.ts";
import { ROOT } from "../protocol/path.ts";
import { reply } from "../protocol/reply.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Say } from "./command.ts";
import type { Context } from "./context.ts";
import { Refusal } from "./errors.ts";
import { setTimeout as delay } from "node:timers/promises";
import type { Proof, SignInAnswer } from "./authority.ts";
import { type Named, type Session, commonOf } from "./session.ts";
import { certificateUser, demandPrivateAccount, demandPrivateLogin } from "./tls-policy.ts";

/** Whether the client's certificate names this user, so that nothing more need be shown. */
export function certificateSuffices(user: ByteString, context: Context): boolean {
  if (context.tls.settings.certificateLogin !== "instead") return false;
  const named = certificateUser(context);
  return named !== undefined && named === nameOfClient(user);
}

type Way = { readonly context: Context; readonly say: Say };

export async function signIn(session: Named, proof: Proof, { context, say }: Way): Promise<Session> {
  demandPrivateLogin(session, session.user, context);
  const { authority, id, peer } = context;
  const answer = await authority.signIn(id, { name: session.user, proof, from: peer.address });
  switch (answer.kind) {
    case "busy":
      say(reply(421, "Too many logins at this moment; try again in some seconds."));
      return { step: "closing" };
    case "limited":
      throw new Refusal(530, answer.text, answer.rule);
    case "failed":
      return fail(session, answer, { context, say });
    case "accepted":
      break;
  }
  const { account } = answer;
  try {
    demandPrivateAccount(session, account, context);
  } catch (error) {
    authority.signOut(id);
    throw error;
  }
  const problem = certificateProblem(session, account, context);
  const workspace = problem ?? (await open(account, context));
  if (typeof workspace === "string") {
    const answered = await authority.signInFailed(id, session.user);
    return fail(session, { kind: "failed", reason: workspace, ...answered }, { context, say });
  }
  context.emit({ ...context.facts(), type: "login.accepted", at: context.now() });
  if (proof.kind === "certificate") say(reply(232, "Signed in; the certificate stands for the password."));
  else say(reply(230, account.anonymous ? "Anonymous access granted." : "Signed in."));
  return {
    ...commonOf(session),
    step: "signed-in",
    workspace,
    cwd: ROOT,
    // RFC 959 §3.1.1.1: ASCII is the default type.
    type: "ascii",
    mode: "stream",
    deflateLevel: DEFLATE_LEVEL,
    facts: new Set(FACTS),
    digest: "SHA-256",
  };
}

/** Asked after the password, so that a stranger does not learn which of the two was wrong. */
function certificateProblem({ user }: Named, account: Account, context: Context): string | undefined {
  if (account.anonymous || context.tls.settings.certificateLogin !== "match") return undefined;
  if (certificateUser(context) === nameOfClient(user)) return undefined;
  return "the client certificate does not name this user";
}

/** @returns the workspace, or for the log why there is none (attack 30: never a folder other than the account's). */
async function open(account: Account, context: Context): Promise<Workspace | string> {
  try {
    return await context.openWorkspace(account);
  } catch (error) {
    return `the home of ${account.name} cannot be opened: ${faultMessage(error)}`;
  }
}

type Failed = Extract<SignInAnswer, { kind: "failed" }>;

async function fail(session: Named, failed: Failed, { context, say }: Way): Promise<Session> {
  const { reason, delayMs, endSession } = failed;
  context.emit({ ...context.facts(), type: "login.failed", name: session.user, reason, at: context.now() });
  await delay(delayMs, undefined, { signal: context.signal }).catch(() => {});
  if (endSession) {
    say(reply(421, "Too many failed logins; closing the control connection."));
    return { step: "closing" };
  }
  say(reply(530, "Login incorrect."));
  return { ...commonOf(session), step: "greeted" };
}
