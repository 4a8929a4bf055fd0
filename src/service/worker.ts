/**
 * A worker: runs sessions, with no privilege and no secret but the certificates' keys. The broker starts it
 * (jail/confined-process.ts), tells it what to serve, and decides what all sessions share.
 */
import type { Account } from "../account/account.ts";
import { faultDetail } from "../base/fault-text.ts";
import { type Handle, closeHandle } from "../jail/channel.ts";
import { type NoticeHandlers, connectBroker } from "../jail/worker-side.ts";
import type { NewCredentials, WorkerOrders } from "./requests.ts";
import { NOTICES, REQUESTS } from "./requests.ts";
import { CredentialSet } from "../net/tls/credential-set.ts";
import type { TlsTerms } from "../net/tls/session.ts";
import { type FtpServer, createFtpServer } from "../server/server.ts";
import { clientOfHandle } from "./bound-sockets.ts";
import { EventSender } from "./event-sender.ts";
import { openInherited } from "./inherited-home.ts";
import { RemoteAuthority } from "./remote-authority.ts";
import { passiveSlice } from "./passive-slice.ts";
import { tlsTermsOf } from "./tls-terms.ts";
import { sendable } from "./worker-events.ts";

let server: FtpServer | undefined;
let authority: RemoteAuthority | undefined;
let terms: TlsTerms | undefined;
/** The broker has said how to end. */
let leaving = false;
let orders: WorkerOrders | undefined;

const events = new EventSender(async (batch) =>
  broker.askUnchecked(
    "events",
    batch.flatMap((event) => sendable(event) ?? []),
  ),
);

const notices: NoticeHandlers<typeof NOTICES> = {
  begin: (given) => void begin(given).catch(async (error: unknown) => fail(error)),
  client: takeClient,
  credentials: takeCredentials,
  guests: ({ account }) => {
    if (authority !== undefined) authority.guest = account;
  },
  expel: ({ session, reason }) => authority?.expel(session, reason),
  share: ({ account, part }) => setShare(account, part),
  retire: () => {
    leaving = true;
    void leave(async () => server?.retire());
  },
  stop: ({ graceSeconds }) => {
    leaving = true;
    void leave(async () => server?.close({ graceSeconds }));
  },
  cut: () => server?.endNow(),
};

const broker = connectBroker({
  requests: REQUESTS,
  notices: NOTICES,
  onNotice: notices,
  onDrain: () => {
    // Those who have sessions were told before how to end; this one came up too late to have any.
    if (!leaving) void leave(async () => server?.close({ graceSeconds: 0 }));
  },
});
process.on("SIGTERM", () => void leave(async () => server?.close({ graceSeconds: 0 })));
// A terminal sends these to everybody; the broker says when to end.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
// The launcher has set it; without koffi there is none.
process.umask(0o077);
broker.ready();

async function begin(given: WorkerOrders): Promise<void> {
  orders = given;
  const { configuration, index, workers } = given;
  events.interest = given.interest;
  takeCredentials(given);
  authority = new RemoteAuthority(broker, countsTransfers);
  const passive = passiveSlice(configuration.server.passivePorts, { index, workers });
  server = createFtpServer({
    listen: [],
    accounts: [],
    authority,
    limits: configuration.limits,
    onEvent: (event) => {
      if (event.type !== "server.listening" && event.type !== "server.closed") events.hear(event);
    },
    openStorage: openInherited,
    settings: { ...configuration.server, passivePorts: passive.range },
    ...(passive.isShared ? { passivePortsKept: 0 } : {}),
    ...(given.credentials.length === 0 ? {} : { tls: { terms: () => currentTerms(), settings: configuration.tls } }),
  });
  await broker.ask("listening", null);
}

function takeClient({ session, listener }: { session: string; listener: number }, handle: Handle | undefined): void {
  const how = orders?.listeners[listener];
  if (handle === undefined || how === undefined || server === undefined) return closeHandle(handle);
  const client = clientOfHandle(handle);
  if (client !== undefined) return server.serve(client, { id: session, ...how });
  broker.note("release", { session });
  const [reason, peer] = ["the client had gone before its session began", { address: "", port: 0 }];
  events.hear({ type: "session.closed", session, peer, reason, commands: 0, at: Date.now() });
}

/** Transfers are counted by the broker only where a limit or a shared rate needs it: it costs a question each. */
function countsTransfers({ limits }: Account): boolean {
  if (orders === undefined) return true;
  const { configuration } = orders;
  const { transfersPerAccount, transfersPerAddress } = configuration.limits;
  if ((limits.transfers ?? transfersPerAccount ?? transfersPerAddress) !== undefined) return true;
  const { serverUploadRate, serverDownloadRate } = configuration.server;
  const shared = [limits.uploadRate, limits.downloadRate, serverUploadRate, serverDownloadRate];
  // With one worker too: after a reload an older one may still have transfers.
  return shared.some((rate) => (rate ?? 0) > 0);
}

function setShare(account: string | undefined, part: number): void {
  if (account === undefined) server?.throttles.setServerPart(part);
  else server?.throttles.setAccountPart(account, part);
}

function takeCredentials(given: NewCredentials): void {
  const [first, ...others] = given.credentials;
  if (first === undefined || orders === undefined) return;
  terms = tlsTermsOf(new CredentialSet([first, ...others]), orders.configuration.tls, given);
}

function currentTerms(): TlsTerms {
  if (terms === undefined) throw new Error("no certificate was given");
  return terms;
}

async function leave(end: () => Promise<unknown> | undefined): Promise<void> {
  await end();
  await events.flush();
  process.exit(0);
}

/** Of no use to anybody: the broker starts another one, or gives up in words. */
async function fail(error: unknown): Promise<void> {
  if (leaving) return;
  events.hear({ type: "server.fault", detail: faultDetail(error), at: Date.now() });
  await events.flush();
  process.exit(1);
}
