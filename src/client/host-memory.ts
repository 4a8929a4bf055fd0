/** What is remembered of one host while a client lives and beyond: the data mode that works, TLS, its certificate. */
import type { TLSSocket } from "node:tls";
import type { DataMode } from "./errors.ts";
import { type ClientStore, openStore } from "./store.ts";
import type { Target } from "./target.ts";
import { judgePeer, peerOf } from "./trust.ts";
import type { ConnectOptions, TlsOptions } from "./types.ts";

export type HostMemory = {
  /** The data mode that worked last from this address of ours. */
  mode(ownAddress: string): Promise<DataMode | undefined>;
  /** When it last spoke TLS, in milliseconds since 1970 UTC. */
  readonly tlsSeen: number | undefined;
  /** Whether it bears the next EPSV while a transfer runs; undefined: nobody has tried. */
  readonly pipelining: boolean | undefined;
  sawTls(): void;
  modeWorked(mode: DataMode, ownAddress: string): void;
  /** @returns the fingerprint of a certificate that is believed for the first time. @throws {FtpError} TLS_UNTRUSTED. */
  judge(socket: TLSSocket, tls: TlsOptions): Promise<string | undefined>;
  /** Once all is written. */
  flush(): Promise<void>;
};

export async function hostMemory(target: Target, options: ConnectOptions): Promise<HostMemory> {
  const store = openStore(options.store);
  const server = { host: target.host, port: target.port };
  const { tlsSeen, pipelining } = await store.recall(server);
  return {
    tlsSeen,
    pipelining,
    mode: async (ownAddress) => (await store.recall(server, ownAddress)).mode?.mode,
    sawTls: () => store.remember(server, { tls: true }),
    modeWorked: (mode, ownAddress) => store.remember(server, { mode, ownAddress }),
    judge: async (socket, tls) => await judge(socket, { tls, store, server, mode: target.tlsMode }),
    flush: async () => await store.flush(),
  };
}

type Judging = {
  readonly tls: TlsOptions;
  readonly store: ClientStore;
  readonly server: { readonly host: string; readonly port: number };
  readonly mode: Target["tlsMode"];
};

/** Where clear text would do, a certificate that nobody vouches for is still better than none. */
async function judge(socket: TLSSocket, { tls, store, server, mode }: Judging): Promise<string | undefined> {
  const trust = tls.trust ?? (mode === "auto" ? "first-use" : "ca");
  const peer = peerOf(socket, tls.serverName ?? server.host);
  const { fingerprint, isNew } = await judgePeer({ ...peer, server, store, tls: { ...tls, trust } });
  return isNew ? fingerprint : undefined;
}
