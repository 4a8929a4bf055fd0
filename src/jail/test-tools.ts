/** For the tests: a receiver of unix datagrams, which Node itself has not. */
import { closeSync, rmSync } from "node:fs";
import { createRequire } from "node:module";

const AF_UNIX = 1;
const SOCK_DATAGRAM = 2 | 0o2000000;
const AT_ONCE = 0x40;
const DATAGRAM_OCTETS = 8_192;

export type Datagrams = Disposable & {
  /** The next datagram that has arrived, or undefined: sending is done when sendto returns. */
  receive(): string | undefined;
};

/** @param address a path, or `@name` for an abstract one. @throws {Error} where koffi is not. */
export function receiveDatagrams(address: string): Datagrams {
  const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
  const libc = koffi.load("libc.so.6");
  const socket = libc.func("socket", "int", ["int", "int", "int"]);
  const bind = libc.func("bind", "int", ["int", "void*", "uint"]);
  const recv = libc.func("recv", "int64", ["int", "void*", "size_t", "int"]);
  const descriptor: number = socket(AF_UNIX, SOCK_DATAGRAM, 0);
  const isAbstract = address.startsWith("@");
  const name = isAbstract ? `\0${address.slice(1)}` : `${address}\0`;
  const unixAddress = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
  if (bind(descriptor, unixAddress, unixAddress.length) !== 0) throw new Error(`cannot bind ${address}`);
  return {
    receive: () => {
      const into = Buffer.alloc(DATAGRAM_OCTETS);
      const length = Number(recv(descriptor, into, into.length, AT_ONCE));
      return length < 0 ? undefined : into.toString("utf8", 0, length);
    },
    [Symbol.dispose]: () => {
      closeSync(descriptor);
      if (!isAbstract) rmSync(address, { force: true });
    },
  };
}
