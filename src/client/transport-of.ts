/** A data connection that has come about, as what a transfer asks of it: private or in clear, on the native path or by streams. */
import { DataConnection, type DataTerms } from "../net/data-connection.ts";
import type { DataEnd } from "../net/data-end.ts";
import { NativeConnection } from "../net/native-connection.ts";
import type { DataTransport } from "../net/transport.ts";
import type { ClientTls, DataUse } from "./tls.ts";

/** @param tls absent: in clear text. @throws {FtpError} where TLS does not come about. */
export async function transportOf(
  end: DataEnd,
  tls: ClientTls | undefined,
  { use, ...terms }: DataTerms & { readonly use: DataUse },
): Promise<DataTransport> {
  if (tls !== undefined) return new DataConnection(await tls.secureData(end, use, terms.signal), terms);
  const { path } = use;
  const descriptor = path.kind === "native" ? end.toDescriptor() : undefined;
  if (path.kind === "native" && descriptor !== undefined) {
    return new NativeConnection({ descriptor, peer: end.remote }, terms, path.calls);
  }
  return new DataConnection({ socket: end.toSocket(), peer: end.remote }, terms);
}
