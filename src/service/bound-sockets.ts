/**
 * Sockets that are bound here and listened on by others: the broker has the right to low ports, its workers accept.
 * A socket that nobody accepts from keeps its clients waiting while a worker is replaced.
 */
import net from "node:net";
import { getSystemErrorName } from "node:util";
import type { ActivatedSocket } from "../jail/systemd.ts";
import type { Endpoint } from "../net/addresses.ts";
import { plainAddress } from "../net/addresses.ts";

export type BoundSocket = Disposable & { readonly descriptor: number; readonly bound: Endpoint };

/** UV_TCP_IPV6ONLY of libuv: `::` takes no IPv4 clients, so that 0.0.0.0 can have the same port. */
const IPV6_ONLY = 1;

type Handle = {
  readonly fd: number;
  getsockname(into: Record<string, unknown>): number;
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
  return { descriptor: handle.fd, bound, [Symbol.dispose]: () => handle.close() };
}

/** A socket of the service manager (sd_listen_fds(3)); where it listens is asked of the kernel. */
export function adoptSocket({ descriptor, name }: ActivatedSocket): BoundSocket {
  const handle = makeHandle({ descriptor });
  const found: Record<string, unknown> = {};
  if (handle.getsockname(found) !== 0 || typeof found["port"] !== "number") {
    throw new Error(`the socket "${name}" of the service manager is no TCP socket`);
  }
  const bound = { address: plainAddress(String(found["address"])), port: found["port"] };
  return { descriptor, bound, [Symbol.dispose]: () => handle.close() };
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
