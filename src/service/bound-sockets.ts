/** Sockets that a server listens on. They are bound before anything else is begun: where they cannot be, all ends. */
import net, { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import type { ActivatedSocket } from "../jail/systemd.ts";
import type { AcceptedClient } from "../net/accepted-client.ts";
import type { Endpoint } from "../net/addresses.ts";
import { plainAddress } from "../net/addresses.ts";

export type BoundSocket = Disposable & {
  readonly descriptor: number;
  readonly bound: Endpoint;
  /** Accepts clients from now on, and does nothing with them: they are somebody else's. Call it once. @throws the system's error */
  accept(onClient: (client: Arrival) => void): void;
};

/** A client's connection that was accepted, and is neither read from nor closed unless somebody does it. */
export type Arrival = {
  /** For another process or `socketOf`; `close` is for whoever has it. */
  readonly handle: Handle;
  readonly peer: Endpoint;
  readonly local: Endpoint;
};

/** Connections that wait in the kernel; the system's own cap is 4,096. */
const BACKLOG = 1_024;

/** UV_TCP_IPV6ONLY of libuv: `::` takes no IPv4 clients, so that 0.0.0.0 can have the same port. */
const IPV6_ONLY = 1;

export type Handle = {
  readonly fd: number;
  getsockname(into: Record<string, unknown>): number;
  getpeername(into: Record<string, unknown>): number;
  listen(backlog: number): number;
  onconnection?: (fault: number, client: Handle | undefined) => void;
  close(): void;
};

/** @throws the system's error (EADDRINUSE, EACCES …) with `address` and `port`, as listen() has it. */
export function bindSocket({ address, port }: Endpoint, { ipv6Only }: { readonly ipv6Only: boolean }): BoundSocket {
  const handle = makeHandle({ address, port }, ipv6Only ? IPV6_ONLY : 0);
  const name: Record<string, unknown> = {};
  // libuv tells of a taken port here, not at bind.
  const fault = handle.getsockname(name);
  if (fault !== 0) {
    handle.close();
    throw systemError(fault, { address, port });
  }
  const bound = { address: plainAddress(String(name["address"])), port: Number(name["port"]) };
  return boundSocket(handle, bound);
}

/** A socket of the service manager (sd_listen_fds(3)); where it listens is asked of the kernel. */
export function adoptSocket({ descriptor, name }: ActivatedSocket): BoundSocket {
  const handle = makeHandle({ descriptor });
  const found: Record<string, unknown> = {};
  if (handle.getsockname(found) !== 0 || typeof found["port"] !== "number") {
    throw new Error(`the socket "${name}" of the service manager is no TCP socket`);
  }
  const bound = { address: plainAddress(String(found["address"])), port: found["port"] };
  return boundSocket(handle, bound);
}

function boundSocket(handle: Handle, bound: Endpoint): BoundSocket {
  return {
    descriptor: handle.fd,
    bound,
    accept(onClient) {
      handle.onconnection = (fault, client) => {
        // What could not be accepted is not there (EMFILE, ECONNABORTED); the next one may be.
        if (fault !== 0 || client === undefined) return;
        const [peer, local] = [nameOf(client, "getpeername"), nameOf(client, "getsockname")];
        // Gone again before we looked at it.
        if (peer === undefined || local === undefined) client.close();
        else onClient({ handle: client, peer, local });
      };
      const fault = handle.listen(BACKLOG);
      if (fault !== 0) throw systemError(fault, bound);
    },
    [Symbol.dispose]: () => handle.close(),
  };
}

function nameOf(handle: Handle, which: "getpeername" | "getsockname"): Endpoint | undefined {
  const name: Record<string, unknown> = {};
  if (handle[which](name) !== 0) return undefined;
  return { address: plainAddress(String(name["address"])), port: Number(name["port"]) };
}

/** What another process has accepted and handed over. @returns undefined: the client has gone again. */
export function clientOfHandle(handle: object): AcceptedClient | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the only handle that a broker gives: Node's own of TCP
  const tcp = handle as Handle;
  const [peer, local] = [nameOf(tcp, "getpeername"), nameOf(tcp, "getsockname")];
  if (peer === undefined || local === undefined) {
    tcp.close();
    return undefined;
  }
  return { peer, local, descriptor: tcp.fd, toSocket: () => socketOf(tcp), close: () => tcp.close() };
}

/** A connection that another process has accepted, as `net.Server` makes sockets of its own. Nothing of it is lost. */
export function socketOf(handle: object): Socket {
  const socket: unknown = Reflect.construct(Socket, [{ handle, allowHalfOpen: true, readable: true, writable: true }]);
  if (!(socket instanceof Socket)) throw new Error("this Node makes no socket of a handle; use --workers 0");
  return socket;
}

/** As node:cluster does it: net.Server would accept at once, and there is no other way to bind alone. */
function makeHandle(where: Endpoint | { readonly descriptor: number }, flags = 0): Handle {
  const create: unknown = Reflect.get(net, "_createServerHandle");
  if (typeof create !== "function") throw new Error("this Node cannot bind for its workers; use --workers 0");
  const handle: unknown =
    "descriptor" in where
      ? create(null, null, null, where.descriptor, 0)
      : create(where.address, where.port, net.isIPv6(where.address) ? 6 : 4, -1, flags);
  if (typeof handle === "number") {
    throw systemError(handle, "descriptor" in where ? { address: "", port: 0 } : where);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's own TCP handle, whose methods cluster uses alike
  return handle as Handle;
}

function systemError(fault: number, { address, port }: Endpoint): Error {
  const code = getSystemErrorName(fault);
  return Object.assign(new Error(`bind ${code} ${address}:${port}`), { code, address, port, syscall: "bind" });
}
