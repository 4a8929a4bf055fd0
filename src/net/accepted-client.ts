/** A control connection that has been accepted and not been read from: by its descriptor where bare ones are served. */
import type { Socket } from "node:net";
import { DataCallError } from "../sys/data-calls.ts";
import { type Endpoint, plainAddress } from "./addresses.ts";
import type { DataPath } from "./data-path.ts";
import { DescriptorWire } from "./descriptor-wire.ts";
import { KEEP_ALIVE_MS } from "./limits.ts";
import { SocketWire } from "./socket-wire.ts";
import type { Wire } from "./wire.ts";

export type AcceptedClient = {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  /** Undefined: it cannot be told. */
  readonly descriptor: number | undefined;
  /** The connection as one of Node's sockets, which has it from here on. */
  toSocket(): Socket;
  /** Closes this descriptor; duplicates of it stay open. */
  close(): void;
};

/** @param socket of a `net.Server`, in the call that tells of it. @returns undefined: the client has gone again. */
export function clientOf(socket: Socket): AcceptedClient | undefined {
  const { remoteAddress, remotePort = 0, localAddress = "", localPort = 0 } = socket;
  if (remoteAddress === undefined) {
    socket.destroy();
    return undefined;
  }
  const handle: unknown = Reflect.get(socket, "_handle");
  const descriptor: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  return {
    peer: { address: plainAddress(remoteAddress), port: remotePort },
    local: { address: plainAddress(localAddress), port: localPort },
    descriptor: typeof descriptor === "number" && descriptor >= 0 ? descriptor : undefined,
    toSocket: () => socket,
    close: () => void socket.destroy(),
  };
}

/** A bare descriptor where the native path runs, else a socket. */
export function openWire(client: AcceptedClient, path: DataPath): Wire {
  if (path.kind === "native" && client.descriptor !== undefined) {
    try {
      // One that Node has would be closed with Node's own handle, and its loop must not watch it beside ours.
      const descriptor = path.calls.duplicate(client.descriptor);
      client.close();
      return new DescriptorWire({ ...client, descriptor }, path.calls);
    } catch (error) {
      // No descriptor is left for a moment.
      if (!(error instanceof DataCallError)) throw error;
    }
  }
  const socket = client.toSocket();
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return new SocketWire(socket, client);
}
