/**
 * Sockets and files as descriptors: the native way of data and control connections. As careful as ffi.ts. Linux on x64 and
 * arm64 alone, where the layouts below are equal (man 7 ip, man 7 ipv6).
 */
import { constants as osConstants } from "node:os";
import { untraced } from "../base/untraced.ts";
import { type Koffi, fromCLibrary } from "./c-library.ts";
import { type Prototypes, prototypes } from "./data-prototypes.ts";
import { elsewhere } from "./elsewhere.ts";
import { Poller, type Watch } from "./poller.ts";
import { ADDRESS_SPACE, AF_INET6, type SocketAddress, readAddress, writeAddress } from "./socket-address.ts";

/** A call that failed for good; `code` is the name of its errno, as in Node's own errors. */
export type { Watch } from "./poller.ts";

export class DataCallError extends Error {
  override readonly name = "DataCallError";
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** What a call returns that would have had to wait: ask `watch` when to try again. */
export const WOULD_WAIT = -1;

/** Whether octets of a file can be had without waiting for a disk. */
export type Warmth = "in-memory" | "cold" | "unknown";

/**
 * The calls, on non-blocking descriptors. Those that return a count return `WOULD_WAIT` where they would have to wait.
 * @throws {DataCallError} each of them
 */
export type DataCalls = {
  /** Opens a listening socket. @param address of our own, IPv4 or IPv6 without a zone. @param port 0: any. */
  listen(address: string, port: number, terms: ListenTerms): number;
  /** @returns undefined: nobody is there. "exhausted": somebody is, and no descriptor is left for him. */
  accept(listener: number): { readonly descriptor: number; readonly remote: SocketAddress } | "exhausted" | undefined;
  /** Begins to connect; `watch` says when it is writable, and `connected` what came of it. @param address IPv4 or IPv6 without a zone. */
  connect(address: string, port: number): number;
  /** Of a connection that has become writable. @throws {DataCallError} why it did not come about. */
  connected(descriptor: number): void;
  /** Another descriptor of the same socket. */
  duplicate(descriptor: number): number;
  close(descriptor: number): void;
  /** Our FIN, after all that was sent. */
  shutdownSending(descriptor: number): void;
  /** A connection for commands: nothing waits to be sent with more, and one whose other end is gone is found out. tcp(7) */
  setForCommands(descriptor: number, keepAliveSeconds: number): void;
  /** From now on `close` sends a reset and throws away what is still to go. */
  resetOnClose(descriptor: number): void;
  /** Octets that were sent and that the other end has not confirmed yet. */
  unconfirmed(descriptor: number): number;
  /** Octets received that lie there, at most 1; 0 after the other end's FIN. Takes none of them. */
  peek(descriptor: number): number;
  receive(descriptor: number, into: Buffer): number;
  send(descriptor: number, octets: Buffer, more: boolean): number;
  /** Sends from a file in the kernel; moves no position but the one returned. */
  sendFile(socket: number, file: number, range: { position: number; length: number }): number;
  /**
   * The same on another thread, where it may wait for the disk, and on a socket that `letWait` has let for its room too.
   * @returns `WOULD_WAIT` for any fault too.
   */
  sendFileElsewhere(socket: number, file: number, range: { position: number; length: number }): Promise<number>;
  /**
   * From now on `sendFile` waits for room, at most so many milliseconds at a time; 0: no longer, as every socket at first.
   * `send`, `receive` and `peek` never do. @param unsentLow as in `ListenTerms`.
   */
  letWait(socket: number, mostMs: number, unsentLow: number): void;
  /** A `sendFile` of another thread that waits on this socket gives up at the next chance. */
  waitNoMore(socket: number): void;
  /** Says that an open file will be read from front to back: the kernel then reads twice as far ahead. */
  expectInOrder(file: number): void;
  /** Reads what lies in memory, as far as it goes; `WOULD_WAIT`: nothing does, or the file system cannot tell. */
  readIfInMemory(file: number, into: Buffer, length: number, position: number): number;
  /** Looks at the page cache. "in-memory" may be wrong for pages that are just being thrown out. */
  warmth(file: number, range: { position: number; length: number }): Warmth;
  /** Writes at the file's own position. */
  write(file: number, octets: Buffer, length: number): number;
  /** The same on another thread, where it may wait for the disk. @returns -1 for any fault: a call on this thread names it. */
  writeElsewhere(file: number, octets: Buffer): Promise<number>;
  watch(descriptor: number): Watch;
};

export type ListenTerms = {
  readonly backlog: number;
  /** Name of the algorithm for connections that come in; absent: the system's. tcp(7), TCP_CONGESTION. */
  readonly congestionControl?: string | undefined;
  /** Octets that a connection may hold unsent before it counts as writable again; tcp(7), TCP_NOTSENT_LOWAT. */
  readonly unsentLow?: number | undefined;
};

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const SO_SNDTIMEO = 21;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
/** Seconds between signs of life that are asked for, and how many may stay out: as Node's own sockets have it. */
const [KEEP_ALIVE_EACH, KEEP_ALIVE_TIMES] = [1, 10];
const TCP_CONGESTION = 13;
const TCP_NOTSENT_LOWAT = 25;
const EPOLL_CLOEXEC = SOCK_CLOEXEC;
const SHUT_WR = 1;
const MSG_PEEK = 0x2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const POSIX_FADV_SEQUENTIAL = 2;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
/** Equal to TIOCOUTQ; tcp(7). */
const SIOCOUTQ = 0x5411;
const RWF_NOWAIT = 8;
const SYS_CACHESTAT = 451;
/** Octets between the looks of `warmth` at single pages, for such as are just being read; each costs 1 µs. */
const LOOK_DISTANCE = 262_144;
/** The same where pages cannot be counted: what leaves memory leaves it in runs that are longer than this as a rule. */
const CLOSE_LOOK_DISTANCE = 131_072;
/** Octets of a page; larger ones only make `warmth` more careful. */
const PAGE = 4_096;

let loaded: { readonly calls: DataCalls | undefined } | undefined;

/** The calls, or undefined: not Linux on x64 or arm64, no koffi, or FERRYMAN_FFI=off. Loaded once. */
export function loadDataCalls(): DataCalls | undefined {
  if (process.env["FERRYMAN_FFI"] === "off") return undefined;
  loaded ??= { calls: fromCLibrary((library, koffi) => dataCalls(prototypes(library), koffi)) };
  return loaded.calls;
}

const { EAGAIN: AGAIN, EINPROGRESS, EMFILE, ENFILE, ENOBUFS, ENOMEM } = osConstants.errno;
const EXHAUSTED: ReadonlySet<number> = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM]);
const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(osConstants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** Scratch of calls that are synchronous, so one of each is enough. */
const scratch = {
  address: Buffer.alloc(ADDRESS_SPACE),
  length: Buffer.alloc(4),
  number: Buffer.alloc(4),
  position: Buffer.alloc(8),
  range: Buffer.alloc(16),
  cached: Buffer.alloc(40),
  vector: Buffer.alloc(16),
  octet: Buffer.alloc(8),
};
const LINGER_NOT = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

type Tools = {
  readonly c: Prototypes;
  readonly koffi: Koffi;
  /** @throws {DataCallError} for a result below 0. */
  readonly check: (call: string, result: number) => number;
  /** The same, but `WOULD_WAIT` for EAGAIN. */
  readonly count: (call: string, result: number) => number;
};

function dataCalls(c: Prototypes, koffi: Koffi): DataCalls {
  const fault = (call: string): DataCallError =>
    untraced(() => new DataCallError(call, errnoNames.get(koffi.errno()) ?? "EIO"));
  const check = (call: string, result: number): number => {
    if (result < 0) throw fault(call);
    return result;
  };
  const count = (call: string, result: number): number => {
    if (result >= 0) return result;
    if (koffi.errno() === AGAIN) return WOULD_WAIT;
    throw fault(call);
  };
  const tools = { c, koffi, check, count };
  return { ...listenerCalls(tools), ...connectionCalls(tools), ...fileCalls(tools) };
}

/** Sets an option that is a number. */
function setterOf({ c, check }: Tools) {
  return (descriptor: number, [level, name]: readonly [number, number], value: number): void => {
    scratch.number.writeInt32LE(value, 0);
    check("setsockopt", c.setsockopt(descriptor, level, name, scratch.number, 4));
  };
}

function listenerCalls(tools: Tools) {
  const { c, koffi, check } = tools;
  const poller = pollerOf(tools);
  const set = setterOf(tools);
  return {
    listen(address, port, { backlog, congestionControl, unsentLow }) {
      const size = writeAddress(scratch.address, address, port);
      const family = scratch.address.readUInt16LE(0);
      const descriptor = check("socket", c.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      try {
        set(descriptor, [SOL_SOCKET, SO_REUSEADDR], 1);
        if (family === AF_INET6) set(descriptor, [IPPROTO_IPV6, IPV6_V6ONLY], 1);
        // Connections inherit these from the listener: no call for each of them.
        if (unsentLow !== undefined) set(descriptor, [IPPROTO_TCP, TCP_NOTSENT_LOWAT], unsentLow);
        if (congestionControl !== undefined) {
          const name = Buffer.from(congestionControl, "latin1");
          check("setsockopt", c.setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, name.length));
        }
        check("bind", c.bind(descriptor, scratch.address, size));
        check("listen", c.listen(descriptor, backlog));
        return descriptor;
      } catch (error) {
        c.close(descriptor);
        throw error;
      }
    },
    accept(listener) {
      scratch.length.writeUInt32LE(scratch.address.length, 0);
      const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
      const descriptor = c.accept4(listener, scratch.address, scratch.length, flags);
      if (descriptor >= 0) return { descriptor, remote: readAddress(scratch.address) };
      // Gone before we came, or out of descriptors: the next one may do better, and the client's own time-out counts.
      return EXHAUSTED.has(koffi.errno()) ? "exhausted" : undefined;
    },
    watch: (descriptor) => poller.watch(descriptor),
  } satisfies Partial<DataCalls>;
}

/** struct epoll_event goes by its address, and its size by the architecture: see `Poller`. */
function pollerOf({ c, koffi, check }: Tools): Poller {
  return new Poller(koffi, {
    create: () => check("epoll_create1", c.epollCreate(EPOLL_CLOEXEC)),
    control: (poller, operation, descriptor, event) => c.epollControl(poller, operation, descriptor, event),
    wait: (poller, events, most) => c.epollWait(poller, events, most, 0),
  });
}

function connectionCalls(tools: Tools) {
  const { c, koffi, check, count } = tools;
  const set = setterOf(tools);
  return {
    connect(address, port) {
      const size = writeAddress(scratch.address, address, port);
      const family = scratch.address.readUInt16LE(0);
      const descriptor = check("socket", c.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      try {
        const begun = c.connect(descriptor, scratch.address, size);
        if (begun < 0 && koffi.errno() !== EINPROGRESS) check("connect", begun);
        return descriptor;
      } catch (error) {
        c.close(descriptor);
        throw error;
      }
    },
    connected(descriptor) {
      scratch.length.writeUInt32LE(scratch.number.length, 0);
      check("getsockopt", c.getsockopt(descriptor, SOL_SOCKET, SO_ERROR, scratch.number, scratch.length));
      const fault = scratch.number.readInt32LE(0);
      if (fault !== 0) throw untraced(() => new DataCallError("connect", errnoNames.get(fault) ?? "EIO"));
    },
    setForCommands(descriptor, keepAliveSeconds) {
      set(descriptor, [IPPROTO_TCP, TCP_NODELAY], 1);
      set(descriptor, [SOL_SOCKET, SO_KEEPALIVE], 1);
      set(descriptor, [IPPROTO_TCP, TCP_KEEPIDLE], keepAliveSeconds);
      set(descriptor, [IPPROTO_TCP, TCP_KEEPINTVL], KEEP_ALIVE_EACH);
      set(descriptor, [IPPROTO_TCP, TCP_KEEPCNT], KEEP_ALIVE_TIMES);
    },
    duplicate: (descriptor) => check("fcntl", c.fcntl(descriptor, F_DUPFD_CLOEXEC, 0)),
    close: (descriptor) => {
      c.close(descriptor);
    },
    shutdownSending: (descriptor) => {
      check("shutdown", c.shutdown(descriptor, SHUT_WR));
    },
    resetOnClose: (descriptor) => {
      c.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, LINGER_NOT, LINGER_NOT.length);
    },
    unconfirmed: (descriptor) => {
      check("ioctl", c.ioctl(descriptor, SIOCOUTQ, scratch.number));
      return scratch.number.readInt32LE(0);
    },
    peek: (descriptor) => count("recv", c.recv(descriptor, scratch.octet, 1, MSG_PEEK | MSG_DONTWAIT)),
    receive: (descriptor, into) => count("recv", c.recv(descriptor, into, into.length, MSG_DONTWAIT)),
    send: (descriptor, octets, more) =>
      count("send", c.send(descriptor, octets, octets.length, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0))),
  } satisfies Partial<DataCalls>;
}

function fileCalls(tools: Tools) {
  const { c, koffi, check, count } = tools;
  const readNow = (file: number, { into, length }: { into: Buffer; length: number }, position: number): number => {
    // struct iovec, of one buffer.
    scratch.vector.writeBigUInt64LE(koffi.address(into), 0);
    scratch.vector.writeUInt32LE(length, 8);
    return c.preadv2(file, scratch.vector, 1, position, RWF_NOWAIT);
  };
  return {
    sendFile(socket, file, { position, length }) {
      writePosition(scratch.position, position);
      return count("sendfile", c.sendfile(socket, file, scratch.position, length));
    },
    async sendFileElsewhere(socket, file, { position, length }) {
      const offset = Buffer.allocUnsafeSlow(8);
      writePosition(offset, position);
      const sent = await elsewhere(c.sendfile, socket, file, offset, length);
      return sent < 0 ? WOULD_WAIT : sent;
    },
    waitNoMore: (socket) => {
      c.fcntl(socket, F_SETFL, SOCK_NONBLOCK);
    },
    letWait(socket, mostMs, unsentLow) {
      // struct timeval, of two 64-bit numbers on both architectures.
      scratch.range.fill(0).writeUInt32LE(mostMs * 1_000, 8);
      if (mostMs > 0) check("setsockopt", c.setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, scratch.range, 16));
      setterOf(tools)(socket, [IPPROTO_TCP, TCP_NOTSENT_LOWAT], unsentLow);
      check("fcntl", c.fcntl(socket, F_SETFL, mostMs > 0 ? 0 : SOCK_NONBLOCK));
    },
    expectInOrder: (file) => {
      // A hint, which some file systems do not take.
      c.posixFadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    },
    readIfInMemory(file, into, length, position) {
      const read = readNow(file, { into, length }, position);
      return read >= 0 ? read : WOULD_WAIT;
    },
    warmth(file, { position, length }) {
      writePosition(scratch.range, position);
      scratch.range.writeUInt32LE(length, 8);
      scratch.range.writeUInt32LE(0, 12);
      // Refused for files of others that we may not write to either, and unknown before Linux 6.5.
      const isCounted = c.cachestat(SYS_CACHESTAT, file, scratch.range, scratch.cached, 0) === 0;
      const pages = Math.ceil((position + length) / PAGE) - Math.floor(position / PAGE);
      if (isCounted && scratch.cached.readUInt32LE(0) < pages) return "cold";
      // A page that is still being read counts as cached: only a read that must not wait tells. A file system that
      // knows no such reads (tmpfs) has its pages in memory.
      const distance = isCounted ? LOOK_DISTANCE : CLOSE_LOOK_DISTANCE;
      for (let at = position; at < position + length; at += distance) {
        if (readNow(file, { into: scratch.octet, length: 1 }, at) === 1) continue;
        if (koffi.errno() === AGAIN) return "cold";
        return isCounted ? "in-memory" : "unknown";
      }
      return readNow(file, { into: scratch.octet, length: 1 }, position + length - 1) === 1 ? "in-memory" : "cold";
    },
    write: (file, octets, length) => check("write", c.write(file, octets, length)),
    writeElsewhere: async (file, octets) => await elsewhere(c.write, file, octets, octets.length),
  } satisfies Partial<DataCalls>;
}

function writePosition(into: Buffer, position: number): void {
  into.writeUInt32LE(position % 0x1_0000_0000, 0);
  into.writeUInt32LE(Math.floor(position / 0x1_0000_0000), 4);
}
