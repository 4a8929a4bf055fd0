/** What a transfer gets its octets by: a connection in clear text, and one whose first octets are there already. */
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

/** A server without REST sends a file from its start: so many octets are read and dropped. */
export function dropping(transport: DataTransport, octets: number): DataTransport {
  if (octets === 0) return transport;
  let left = octets;
  return {
    memory: transport.memory,
    send: async (chunk, moved) => await transport.send(chunk, moved),
    finish: async () => await transport.finish(),
    receive: async () => {
      for (;;) {
        const chunks = await transport.receive();
        if (chunks.length === 0) return chunks;
        const wanted = chunks.flatMap((chunk) => {
          const rest = chunk.subarray(Math.min(left, chunk.length));
          left -= chunk.length - rest.length;
          return rest.length === 0 ? [] : [rest];
        });
        if (wanted.length > 0) return wanted;
      }
    },
    [Symbol.asyncDispose]: async () => await transport[Symbol.asyncDispose](),
  };
}
