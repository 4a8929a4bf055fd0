/**
 * All that a worker may ask its broker, and all that the broker tells its workers. What a worker asks is checked here
 * and again by the broker against what it knows: a worker speaks with the network and may have been taken over.
 */
import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { ByteString } from "../base/bytes.ts";
import type { Configuration } from "../config/sections.ts";
import { type Offence, isOffence } from "../guard/offences.ts";
import type { Verdict } from "../guard/verdict.ts";
import { defineNotices, defineRequests } from "../jail/channel.ts";
import type { Credential } from "../net/tls/credential.ts";
import type { TlsSettings } from "../server/tls-channel.ts";
import type { SignInAnswer } from "../server/authority.ts";
import type { Listener } from "../server/server.ts";
import { WORKER_EVENT } from "./worker-events.ts";

/** Characters of a session's id: the worker's prefix and a number in base 36. */
const ID_LIMIT = 32;
/** Octets of a user name and of a password, as USER and the line limit allow. */
const [NAME_LIMIT, PASSWORD_LIMIT] = [256, 4_096];
/** Characters of an address with its zone. */
const ADDRESS_LIMIT = 64;
/** Events in one message; the channel's own limit of octets is met first with long paths. */
export const EVENTS_AT_ONCE = 64;

const session = z.string().min(1).max(ID_LIMIT);
const address = z.string().min(2).max(ADDRESS_LIMIT);

function octets(most: number): z.ZodType<ByteString> {
  // oxlint-disable-next-line no-control-regex -- every octet is allowed
  return z.custom<ByteString>(
    (value) => typeof value === "string" && value.length <= most && /^[\0-\xff]*$/.test(value),
  );
}

/** Of our own making, so not looked at: the worker believes its broker. */
function ours<Value>(): z.ZodType<Value> {
  return z.custom<Value>((value) => value !== undefined);
}

const nothing = z.null();

export const REQUESTS = defineRequests({
  release: { ask: z.strictObject({ session }), answer: nothing },
  signIn: {
    ask: z.strictObject({
      session,
      name: octets(NAME_LIMIT),
      /** Absent: a client certificate stands for it. */
      password: octets(PASSWORD_LIMIT).optional(),
    }),
    answer: ours<SignInAnswer>(),
  },
  /** A guest whom the worker let in, as the notice `guests` allows: told, not asked. */
  guestIn: { ask: z.strictObject({ session, name: octets(NAME_LIMIT) }), answer: nothing },
  signInFailed: {
    ask: z.strictObject({ session, name: octets(NAME_LIMIT) }),
    answer: ours<{ readonly delayMs: number; readonly endSession: boolean }>(),
  },
  signOut: { ask: z.strictObject({ session }), answer: nothing },
  transferBegins: { ask: z.strictObject({ session }), answer: ours<Verdict>() },
  transferEnds: { ask: z.strictObject({ session }), answer: nothing },
  offence: { ask: z.strictObject({ source: address, kind: z.custom<Offence>(isOffence) }), answer: nothing },
  connect: {
    ask: z.strictObject({
      session,
      address,
      port: z.int().min(1_024).max(65_535),
      /** Our own address that the client knows; others than this host's cannot be had. */
      from: address.optional(),
    }),
    /** The code of the system's error, if there is no socket. */
    answer: z.strictObject({ code: z.string().max(32).optional() }),
  },
  /** It can take clients. */
  listening: { ask: nothing, answer: nothing },
  events: { ask: z.array(WORKER_EVENT).max(EVENTS_AT_ONCE), answer: nothing },
});

/**
 * What the broker does with events: "all" for a log; "transfers" for an xferlog and `who`; "presence" for `who` alone,
 * which only adds up what each session has moved.
 */
export type EventInterest = "all" | "transfers" | "presence";

export type WorkerConfiguration = Pick<Configuration, "server" | "limits"> & { readonly tls: TlsSettings };

/** What a worker is told first of all. */
export type WorkerOrders = {
  /** Unique among all workers of the broker: before the ids of its sessions. */
  readonly number: number;
  /** Its place among the workers of its configuration. */
  readonly index: number;
  readonly workers: number;
  /** How clients come in; `client` names one by its place. */
  readonly listeners: readonly Listener[];
  /** What sessions need of it: no account, no password, no path of a key. */
  readonly configuration: WorkerConfiguration;
  /** What its events are for. */
  readonly interest: EventInterest;
  readonly credentials: readonly Credential[];
  readonly clientAuthorities?: string;
  readonly clientRevocations?: string;
};

export type NewCredentials = Pick<WorkerOrders, "credentials" | "clientAuthorities" | "clientRevocations">;

export const NOTICES = defineNotices({
  begin: ours<WorkerOrders>(),
  /** A connection that the broker has let in goes along. */
  client: z.strictObject({ session: z.string(), listener: z.int().min(0) }),
  credentials: ours<NewCredentials>(),
  /** Until told otherwise, who gives a guest's name gets this account without a question; absent: he is asked for. */
  guests: ours<{ readonly account?: Account }>(),
  expel: z.strictObject({ session: z.string(), reason: z.string() }),
  /** The worker's part of the rates that it shares with others. */
  share: z.strictObject({ account: z.string().optional(), part: z.number().min(0).max(1) }),
  /** No new sessions; those that are here stay until they end. */
  retire: nothing,
  stop: z.strictObject({ graceSeconds: z.number().min(0) }),
  /** Ends every connection at once. */
  cut: nothing,
});
