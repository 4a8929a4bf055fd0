/**
 * What all sessions of a server share and none may decide alone: who may come in, with which password, how many, and
 * what needs a privilege. In one process it is asked directly (`local-authority.ts`); a worker's questions go to the
 * broker, which keeps no secret of it in the worker's memory (jail/).
 */
import type { Socket } from "node:net";
import type { Account } from "../account/account.ts";
import type { ByteString } from "../base/bytes.ts";
import type { Offence } from "../guard/offences.ts";
import type { Verdict } from "../guard/verdict.ts";
import type { ActiveTerms } from "../net/active-connection.ts";
import type { Endpoint } from "../net/addresses.ts";

export type Proof = { readonly kind: "password"; readonly password: ByteString } | { readonly kind: "certificate" };

export type SignInOrder = { readonly name: ByteString; readonly proof: Proof; readonly from: string };

export type SignInAnswer =
  | { readonly kind: "accepted"; readonly account: Account }
  /** Name or password is wrong; the answer is held back so long. `reason` is for our log alone. */
  | { readonly kind: "failed"; readonly reason: string; readonly delayMs: number; readonly endSession: boolean }
  /** A limit, which the client may know of. */
  | { readonly kind: "limited"; readonly rule: string; readonly text: string }
  /** Too many password checks wait already. */
  | { readonly kind: "busy" };

/** Both ends of a control connection. */
export type Ends = { readonly peer: Endpoint; readonly local: Endpoint };

export interface Authority {
  /** Before anything is said to a client. One that is let in counts until `release`. @param session no living one's id. */
  admit(session: string, ends: Ends): Promise<Verdict>;
  release(session: string): void;
  /** An account that is accepted has its place until `signOut` or `release`. */
  signIn(session: string, order: SignInOrder): Promise<SignInAnswer>;
  /** A login that was accepted came to nothing: the account's home is not there. */
  signInFailed(session: string, name: ByteString): Promise<{ readonly delayMs: number; readonly endSession: boolean }>;
  signOut(session: string): void;
  /** Let in, it counts until `transferEnds`. At once where nobody else need be asked. */
  transferBegins(session: string, account: Account): Verdict | Promise<Verdict>;
  transferEnds(session: string, account: Account): void;
  /** Something that no honest client does, or not often. @param source a session's id, or an address. */
  offence(source: string, kind: Offence): void;
  /** An active data connection, from a port that may need a privilege (RFC 959 §3.2: L-1). @throws as `connectActive` */
  connect(session: string, terms: ActiveTerms): Promise<Socket>;
  /** Told of sessions that must end, with the words of the 421: a ban has hit them. */
  onEnd(listener: (session: string, reason: string) => void): void;
}
