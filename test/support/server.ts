/** A server on a free port of loopback for one test, with one account that may do everything, and one anonymous. */
import { Guard } from "../../src/guard/guard.ts";
import type { GivenSettings } from "../../src/guard/settings.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Account, type AccountStore, RIGHTS, type Verdict } from "../../src/account/account.ts";
import type { Settings } from "../../src/server/context.ts";
import { type FtpServer, type ServerOptions, createFtpServer } from "../../src/server/server.ts";
import type { TlsTerms } from "../../src/net/tls/session.ts";
import type { TlsLevel } from "../../src/server/tls-options.ts";
import type { FerrymanEvent } from "../../src/workspace/events.ts";
import { testTerms } from "./tls.ts";

export type TestServer = AsyncDisposable & {
  readonly server: FtpServer;
  readonly port: number;
  /** The folder that is served. */
  readonly root: string;
  readonly events: FerrymanEvent[];
};

type Wishes = {
  /** TLS with a certificate of the test's own; `terms` and `settings` as the server's options have them. */
  readonly tls?: {
    readonly terms?: Partial<TlsTerms>;
    readonly settings?: NonNullable<ServerOptions["tls"]>["settings"];
    readonly implicit?: boolean;
    /** Of the listener, over the setting `tls`. */
    readonly level?: TlsLevel;
  };
  readonly settings?: { readonly [Key in keyof Settings]?: Settings[Key] };
  readonly accounts?: readonly AccountStore[];
  readonly account?: Partial<Account>;
  readonly host?: string;
  /** Absent: limits that no test meets by chance, as all clients come from one address. */
  readonly guard?: GivenSettings | Guard;
  readonly openStorage?: ServerOptions["openStorage"];
};

/** Ann's password is `secret`; the store checks it in the clear, so that tests of transfers do not pay for hashes. */
export function annStore(root: string, changes: Partial<Account> = {}): AccountStore {
  const ann: Account = {
    name: "ann",
    anonymous: false,
    home: root,
    rights: new Set(RIGHTS),
    folders: [],
    limits: {},
    ...changes,
  };
  const guest: Account = { ...ann, name: "anonymous", anonymous: true, rights: new Set(["list", "read"]) };
  return {
    name: "test",
    async authenticate({ name, password }): Promise<Verdict> {
      if (name === "anonymous") return { kind: "accepted", account: guest };
      if (name !== "ann") return { kind: "unknown" };
      return password === "secret" ? { kind: "accepted", account: ann } : { kind: "refused", reason: "wrong password" };
    },
  };
}

/** Limits that no test meets by chance: all its clients come from one address, and some of them misbehave. */
export function lenientGuard(): Guard {
  return new Guard({
    limits: { sessionsPerAddress: 100_000, connectionRate: 1_000_000, sessions: 100_000, loginDelay: 1 },
    bans: { automaticBans: false },
  });
}

function guardOf(wish: Wishes["guard"]): Guard {
  if (wish === undefined) return lenientGuard();
  return wish instanceof Guard ? wish : new Guard(wish);
}

export async function startServer(wishes: Wishes = {}): Promise<TestServer> {
  const root = await mkdtemp(join(tmpdir(), "ferryman-test-"));
  const events: FerrymanEvent[] = [];
  const { tls } = wishes;
  const server = createFtpServer({
    listen: [
      {
        address: wishes.host ?? "127.0.0.1",
        port: 0,
        implicit: tls?.implicit === true,
        ...(tls?.level === undefined ? {} : { tls: tls.level }),
      },
    ],
    ...(tls === undefined ? {} : { tls: { terms: () => testTerms(tls.terms), settings: tls.settings ?? {} } }),
    accounts: wishes.accounts ?? [annStore(root, wishes.account)],
    guard: guardOf(wishes.guard),
    onEvent: (event) => events.push(event),
    ...(wishes.settings === undefined ? {} : { settings: wishes.settings }),
    ...(wishes.openStorage === undefined ? {} : { openStorage: wishes.openStorage }),
  });
  const [bound] = await server.listen();
  return {
    server,
    port: bound?.port ?? 0,
    root,
    events,
    async [Symbol.asyncDispose]() {
      await server.close({ graceSeconds: 0 });
      await rm(root, { recursive: true, force: true });
    },
  };
}
