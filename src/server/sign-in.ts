/** From a name and its proof to a session that is signed in: what USER (with a certificate) and PASS have in common. */
import type { Account } from "../account/account.ts";
import type { LoginResult } from "../account/login.ts";
import { nameOfClient } from "../account/names.ts";
import { faultMessage } from "../base/fault-text.ts";
import type { ByteString } from "../base/bytes.ts";
import { FACTS } from "../protocol/facts.ts";
import { ROOT } from "../protocol/path.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Context } from "./context.ts";
import { TRIES_PER_SESSION } from "./login-throttle.ts";
import { type Named, type Session, commonOf } from "./session.ts";
import { certificateUser, demandPrivateAccount, demandPrivateLogin } from "./tls-policy.ts";

export type Proof = { readonly kind: "password"; readonly password: ByteString } | { readonly kind: "certificate" };

/** Whether the client's certificate names this user, so that nothing more need be shown. */
export function certificateSuffices(user: ByteString, context: Context): boolean {
  if (context.tls.settings.certificateLogin !== "instead") return false;
  const named = certificateUser(context);
  return named !== undefined && named === nameOfClient(user);
}

export async function* signIn(session: Named, proof: Proof, context: Context): AsyncGenerator<Reply, Session, void> {
  const { peer, throttle } = context;
  demandPrivateLogin(session, session.user, context);
  if (throttle.isRefused(peer.address, context.now())) {
    yield reply(421, "Too many failed logins from your address; try again in some minutes.");
    return { step: "closing" };
  }
  const result = await prove(session, proof, context);
  if (result.kind === "busy") {
    yield reply(421, "Too many logins at this moment; try again in some seconds.");
    return { step: "closing" };
  }
  if (result.kind === "refused") return yield* fail(session, result.reason, context);
  const { account } = result;
  demandPrivateAccount(session, account, context);
  const workspace = await open(account, context);
  if (typeof workspace === "string") return yield* fail(session, workspace, context);
  throttle.succeeded(peer.address);
  context.emit({ ...context.facts(), type: "login.accepted", at: context.now() });
  if (proof.kind === "certificate") yield reply(232, "Signed in; the certificate stands for the password.");
  else yield reply(230, account.anonymous ? "Anonymous access granted." : "Signed in.");
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

async function prove({ user }: Named, proof: Proof, context: Context): Promise<LoginResult> {
  const attempt = { name: user, from: context.peer.address };
  if (proof.kind === "certificate") return context.login.vouchFor(attempt);
  const result = await context.login.authenticate({ ...attempt, password: proof.password });
  if (result.kind !== "accepted" || result.account.anonymous) return result;
  // Asked after the password, so that a stranger does not learn which of the two was wrong.
  if (context.tls.settings.certificateLogin !== "match" || certificateUser(context) === nameOfClient(user)) {
    return result;
  }
  return { kind: "refused", reason: "the client certificate does not name this user" };
}

/** @returns the workspace, or for the log why there is none (attack 30: never a folder other than the account's). */
async function open(account: Account, context: Context): Promise<Workspace | string> {
  try {
    return await context.openWorkspace(account);
  } catch (error) {
    return `the home of ${account.name} cannot be opened: ${faultMessage(error)}`;
  }
}

async function* fail(session: Named, reason: string, context: Context): AsyncGenerator<Reply, Session, void> {
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
