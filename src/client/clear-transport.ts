/** A data connection in clear text: by plain system calls where that works, else by a stream of Node's. */
import { DataConnection, type DataTerms } from "../net/data-connection.ts";
import type { DataEnd } from "../net/data-end.ts";
import type { DataPath } from "../net/data-path.ts";
import { NativeConnection } from "../net/native-connection.ts";
import type { DataTransport } from "../net/transport.ts";

export function clearTransport(end: DataEnd, terms: DataTerms, path: DataPath): DataTransport {
  const descriptor = path.kind === "native" ? end.toDescriptor() : undefined;
  if (path.kind === "native" && descriptor !== undefined) {
    return new NativeConnection({ descriptor, peer: end.remote }, terms, path.calls);
  }
  return new DataConnection({ socket: end.toSocket(), peer: end.remote }, terms);
}
