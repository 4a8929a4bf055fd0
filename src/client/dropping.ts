/** A file that comes from its start though a later part of it is wanted. */
import type { DataTransport } from "../net/transport.ts";

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
