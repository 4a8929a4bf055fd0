/** What must be protected, judged on facts of the session: the listener's level, the guest's, the account's. */
import { GUEST_NAMES } from "../account/names.ts";
import type { Account } from "../account/account.ts";
import type { ByteString } from "../base/bytes.ts";
import { clientIdentity } from "../net/tls/client-identity.ts";
import type { Context } from "./context.ts";
import { Refusal } from "./errors.ts";
import { type Security, type Session, isPrivate } from "./session.ts";
import type { TlsChannel } from "./tls-channel.ts";
import { type TlsLevel, isAtLeast, stricter } from "./tls-options.ts";

/** What holds for a name before it has an account. An account can only ask for more. */
function levelOfName(tls: TlsChannel, user: ByteString): TlsLevel {
  const isGuest = GUEST_NAMES.includes(user.toLowerCase());
  return isGuest ? (tls.settings.anonymousTls ?? tls.level) : tls.level;
}

function levelOfAccount(tls: TlsChannel, account: Account): TlsLevel {
  return stricter(account.anonymous ? (tls.settings.anonymousTls ?? tls.level) : tls.level, account.tls);
}

/** What holds now: of the account, or of the listener before there is one. */
export function levelOfSession(session: Session, { tls }: Context): TlsLevel {
  return session.step === "signed-in" ? levelOfAccount(tls, session.workspace.account) : tls.level;
}

/**
 * Before a password is sent, and again when it has come.
 * @throws {Refusal} 530 that names what to do.
 */
export function demandPrivateLogin(session: Session, user: ByteString, { tls }: Context): void {
  if (isAtLeast(levelOfName(tls, user), "require") && !isPrivate(session)) refuseClearLogin();
  if (tls.settings.clientCertificates !== "require") return;
  // A certificate cannot be shown without TLS, so who comes without must not get in.
  if (!isPrivate(session)) refuseClearLogin();
  const shown = tls.clientCertificate;
  if (shown === undefined) {
    throw new Refusal(530, "A client certificate is needed to sign in here.", "tls.client-certificate");
  }
  if (shown.problem !== undefined) {
    throw new Refusal(530, "Your client certificate is not one that this server trusts.", "tls.client-certificate");
  }
}

/** @throws {Refusal} 530 when the account asks for more than the listener did. */
export function demandPrivateAccount(session: Session, account: Account, { tls }: Context): void {
  if (isAtLeast(levelOfAccount(tls, account), "require") && !isPrivate(session)) refuseClearLogin();
}

function refuseClearLogin(): never {
  throw new Refusal(
    530,
    'Signing in needs TLS here: choose "explicit FTP over TLS" in your client (it sends AUTH TLS first).',
    "tls.required",
  );
}

/**
 * RFC 4217 §10.2: judged on the command that moves data, in every data mode alike.
 * @throws {Refusal} 521
 */
export function demandPrivateData(level: TlsLevel, security: Security | undefined): void {
  if (level !== "require-data" || security?.prot === "private") return;
  throw new Refusal(
    521,
    'Data connections need TLS here: send PBSZ 0 and PROT P first (clients: "protect data connections").',
    "tls.data-required",
  );
}

/** The user whom the client's certificate names; undefined for none, and for one that is not to be trusted. */
export function certificateUser({ tls }: Context): string | undefined {
  const shown = tls.clientCertificate;
  if (shown === undefined || shown.problem !== undefined) return undefined;
  return clientIdentity(shown.certificate, tls.settings.certificateName);
}
