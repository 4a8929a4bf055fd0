/** What the host's errors mean to a client: one table, which the compiler holds complete. */
import type { constants } from "node:os";
import { systemCode } from "../../base/system-code.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import { StorageError, type StorageFault } from "../storage.ts";

type Errno = Exclude<keyof typeof constants.errno, `WSA${string}`>;

const FAULT_OF: Readonly<Record<Errno, StorageFault>> = {
  // Names and places
  ENOENT: "not-found",
  ENOTDIR: "not-found",
  ESTALE: "not-found",
  EEXIST: "exists",
  ENOTEMPTY: "not-empty",
  EISDIR: "not-a-file",
  ENAMETOOLONG: "bad-name",
  EILSEQ: "bad-name",
  EINVAL: "bad-name",
  // Rights, and ways out of the jail: too many or forbidden links, a step above the root
  EACCES: "denied",
  EPERM: "denied",
  EROFS: "denied",
  ELOOP: "denied",
  EXDEV: "denied",
  // Space and size
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "too-large",
  EOVERFLOW: "too-large",
  ERANGE: "too-large",
  E2BIG: "too-large",
  // A moment's trouble
  EAGAIN: "busy",
  EWOULDBLOCK: "busy",
  EALREADY: "busy",
  EBUSY: "busy",
  EDEADLK: "busy",
  EINPROGRESS: "busy",
  EINTR: "busy",
  EMFILE: "busy",
  ENFILE: "busy",
  ENOBUFS: "busy",
  ENOLCK: "busy",
  ENOMEM: "busy",
  ETXTBSY: "busy",
  ETIME: "busy",
  ETIMEDOUT: "busy",
  // Not a plain file
  ENXIO: "not-a-file",
  ENODEV: "not-a-file",
  ESPIPE: "not-a-file",
  ENOTSOCK: "not-a-file",
  ENOTTY: "not-a-file",
  // Not on this file system
  EMLINK: "unsupported",
  ENOSYS: "unsupported",
  ENOTSUP: "unsupported",
  EOPNOTSUPP: "unsupported",
  ENOPROTOOPT: "unsupported",
  EPROTONOSUPPORT: "unsupported",
  EPROTOTYPE: "unsupported",
  EAFNOSUPPORT: "unsupported",
  // The device, the network below a file system, or a mistake of ours
  EADDRINUSE: "io",
  EADDRNOTAVAIL: "io",
  EBADF: "io",
  EBADMSG: "io",
  ECANCELED: "io",
  ECHILD: "io",
  ECONNABORTED: "io",
  ECONNREFUSED: "io",
  ECONNRESET: "io",
  EDESTADDRREQ: "io",
  EDOM: "io",
  EFAULT: "io",
  EHOSTUNREACH: "io",
  EIDRM: "io",
  EIO: "io",
  EISCONN: "io",
  EMSGSIZE: "io",
  EMULTIHOP: "io",
  ENETDOWN: "io",
  ENETRESET: "io",
  ENETUNREACH: "io",
  ENODATA: "io",
  ENOEXEC: "io",
  ENOLINK: "io",
  ENOMSG: "io",
  ENOSR: "io",
  ENOSTR: "io",
  ENOTCONN: "io",
  EPIPE: "io",
  EPROTO: "io",
  ESRCH: "io",
};
const faults: Readonly<Record<string, StorageFault>> = { ...FAULT_OF, ENOTBLK: "not-a-file" };

/** An error of the host as a fault of the port. One that is a fault already stays. */
export function storageError(error: unknown, path: VirtualPath): StorageError {
  if (error instanceof StorageError) return error;
  return new StorageError(faults[systemCode(error)] ?? "io", path, { cause: error });
}

/** Runs `work`; what fails becomes a StorageError of `path`. */
export function guarded<T>(path: VirtualPath, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageError(error, path);
  }
}

/** `work`'s result, or undefined where it fails with one of `codes`. */
export function unless<T>(codes: readonly string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codes.includes(systemCode(error))) return undefined;
    throw error;
  }
}

/** What a host call would throw; for checks of our own that mean the same. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: Errno;

  constructor(code: Errno, what: string) {
    super(`${code}: ${what}`);
    this.code = code;
  }
}
