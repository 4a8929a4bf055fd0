/** The third file with foreign-function prototypes: those of data-calls.ts. Linux on x64 and arm64 alone. */
import type { CLibrary } from "./c-library.ts";
import type { Native } from "./elsewhere.ts";

export function prototypes(library: CLibrary) {
  const native = (name: string, result: string, values: string): Native =>
    library.func(name, result, values.split(" "));
  return {
    socket: native("socket", "int", "int int int"),
    bind: native("bind", "int", "int void* uint"),
    listen: native("listen", "int", "int int"),
    accept4: native("accept4", "int", "int void* void* int"),
    connect: native("connect", "int", "int void* uint"),
    getsockopt: native("getsockopt", "int", "int int int void* void*"),
    setsockopt: native("setsockopt", "int", "int int int void* uint"),
    // Variadic in C; on both architectures integer arguments of a variadic call travel as those of an ordinary one.
    fcntl: native("fcntl", "int", "int int long"),
    ioctl: native("ioctl", "int", "int ulong void*"),
    close: native("close", "int", "int"),
    shutdown: native("shutdown", "int", "int int"),
    recv: native("recv", "int64", "int void* size_t int"),
    send: native("send", "int64", "int void* size_t int"),
    sendfile: native("sendfile", "int64", "int int void* size_t"),
    posixFadvise: native("posix_fadvise", "int", "int int64 int64 int"),
    preadv2: native("preadv2", "int64", "int void* int int64 int"),
    write: native("write", "int64", "int void* size_t"),
    epollCreate: native("epoll_create1", "int", "int"),
    epollControl: native("epoll_ctl", "int", "int int int void*"),
    epollWait: native("epoll_wait", "int", "int void* int int"),
    cachestat: native("syscall", "long", "long int void* void* uint"),
  };
}

export type Prototypes = ReturnType<typeof prototypes>;
