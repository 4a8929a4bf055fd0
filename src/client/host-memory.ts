/** What is remembered of a host. */
import type { TLSSocket } from "node:tls";
import type { DataMode } from "./errors.ts";
import type { Target } from "./target.ts";
import type { ConnectOptions, TlsOptions } from "./types.ts";

export type HostMemory = {
  readonly mode: DataMode | undefined;
  readonly hadTls: boolean;
  sawTls(): Promise<void>;
  modeWorked(mode: DataMode): Promise<void>;
  judge(socket: TLSSocket, tls: TlsOptions): Promise<string | undefined>;
};

export async function hostMemory(_target: Target, _options: ConnectOptions): Promise<HostMemory> {
  return await Promise.resolve({
    mode: undefined,
    hadTls: false,
    sawTls: async () => {},
    modeWorked: async () => {},
    judge: async () => undefined,
  });
}
