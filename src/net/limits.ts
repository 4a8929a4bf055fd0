/** The limits of connections, each with its unit and where the number comes from. */

/** Octets of command lines held for a session that is busy; attack 43 and issue 2. */
export const UNREAD_LIMIT = 65_536;
/** Command lines held for a session that is busy, then its socket is paused; 64 RETR+EPSV pairs cover a long line's delay. */
export const QUEUE_LIMIT = 64;
/** Octets of replies that a client has not read before its next command waits; one STAT of a large folder streams through it. */
export const REPLY_BACKLOG = 65_536;
/** Milliseconds that a client may leave a full backlog of replies unread before it is cut off; as the idle limit's default. */
export const REPLY_PATIENCE_MS = 300_000;
/** Milliseconds in which a closed control connection may still take its last reply. */
export const LINGER_MS = 2_000;
/** Milliseconds between keep-alive probes of an idle control connection: below the 5 minutes that home routers keep a mapping. */
export const KEEP_ALIVE_MS = 60_000;
/**
 * Milliseconds after which a port that was leased and not used listens by itself: who came to it before is told of, or
 * sent away, that late at most twice over. Transfers of a busy session follow one another faster.
 */
export const WAKE_MS = 500;
/** Passive listeners that stay open per local address when nobody leases them (perf.md, finding 4); 1 descriptor each. */
export const LISTENERS_KEPT = 256;
/** Random ports tried before the range is searched in order. */
export const RANDOM_PICKS = 32;
/**
 * Connections that wait in the kernel for one leased port: the rightful one, and strangers that came since it was looked at,
 * up to WAKE_MS before. Beyond that the kernel lets the client try again after a second.
 */
export const DATA_BACKLOG = 64;
/** Milliseconds without accepting on a passive port after there was no descriptor left for who waits there. */
export const EXHAUSTED_REST_MS = 100;
/** Octets received but not yet stored before the data socket is paused: one write of this size costs little per octet (perf.md, 6). */
export const RECEIVE_BUFFER = 1_048_576;
/** Milliseconds for which a finished data connection waits for the peer's FIN before it is dropped. */
export const DATA_LINGER_MS = 5_000;
/** The ports that IANA leaves to everyone (RFC 6335 §6): where passive listeners go unless a range is configured. */
export const DYNAMIC_PORTS = { first: 49_152, last: 65_535 } as const;
/** Below this a port belongs to a service; no data connection goes there (RFC 2577 §3). */
export const FIRST_FREE_PORT = 1_024;
/** Turns of a shared rate in a second: each brings 2 % of a second's octets, so that 1 second sees no more than that too many. */
export const RATE_QUANTA_PER_SECOND = 50;
/** Seconds of a rate that may be saved up: makes good for timers that are up to 50 ms late, and keeps any second below 110 %. */
export const RATE_DEPTH_SECONDS = 0.07;
/** Octets below which a turn is not cut for the sake of many sharers: a smaller write costs as much as this one. */
export const RATE_QUANTUM_FLOOR = 4_096;
/** Milliseconds of the shortest wait for a rate: what the timers of Node can do. */
export const RATE_WAIT_LEAST_MS = 1;
/** Milliseconds of the longest wait for a rate before it is looked at again: timers of Node end at 2^31. */
export const RATE_WAIT_MOST_MS = 60_000;
/** Accounts whose sessions share rates at once; as many as an account may have sessions. An entry is below 1 KiB. */
export const ACCOUNTS_LIMITED = 100_000;
/**
 * Octets that a download may hold unsent in the kernel before it has to wait: what the path takes at once is not
 * counted, so it costs no speed on long ways, and a crowd of slow clients costs this each and not 4 MiB (tcp_wmem).
 */
export const UNSENT_LOW = 1_048_576;
/**
 * Octets of an upload that are written at once: large enough that the way to another thread and back is a small part, small
 * enough that what was received is still in the processor's cache when it is written.
 */
export const UPLOAD_BUFFER = 524_288;
/** Such buffers of one process, two for each upload: 16 MiB. Whoever finds none free goes the plain way. */
export const UPLOAD_BUFFERS_AT_ONCE = 32;
/** Octets that all native transfers of a process may move in one turn of the event loop: under 1 ms at 5 GiB/s. */
export const TURN_OCTETS = 4_194_304;
/** Transfers that go on in one round of the event loop: with the least quantum each, some 0.1 ms. */
export const STEPS_A_TURN = 2;
/** Octets of one transfer's turn, however many take part: a smaller one costs more calls than it is fair. */
export const QUANTUM_LEAST = 131_072;
/** Octets of one transfer's turn when it is alone. */
export const QUANTUM_MOST = 4_194_304;
/**
 * Octets of a download that go out on the event loop after each wait for the client: 0.1 ms. Clients that take no more
 * at once never cost the way to another thread and back (20 µs and more).
 */
export const LOOP_SEND = 524_288;
/** Octets that another thread is asked to send at once, at least: 0.2 ms from memory, some 10 ms from a slow disk. */
export const ELSEWHERE_LEAST = 1_048_576;
/** The same at most, for all downloads of a process together: some 5 ms from memory. */
export const ELSEWHERE_MOST = 33_554_432;
/** The same at most, however many downloads share the threads: 0.7 ms from memory. */
export const ELSEWHERE_FAIR = 4_194_304;
/** Milliseconds of such a call below which the next one may be twice as long, and from which on it is to be half of it. */
export const ELSEWHERE_GOOD_MS = 3;
export const ELSEWHERE_SLOW_MS = 10;
/**
 * Milliseconds that a call should last on a socket that it waits for, which a client gets who takes `STREAM_LEAST` in
 * them: 160 MiB/s, more than a gigabit's worth, so that clients of an office do not wait for threads. The kernel wakes the
 * thread then, and neither the event loop nor a signal between threads is in the way. The longer the call, the fewer
 * waits: of 64 sessions calls of 40 ms cost three times the changes of threads that those of 100 do.
 */
export const STREAM_MS = 100;
export const STREAM_LEAST = 16_777_216;
/** Milliseconds after which such a call waits no more, whatever it was asked for: others wait for its thread. */
export const STREAM_LONGEST_MS = 250;
/** Octets of such a call at most: 40 ms from memory. */
export const STREAM_MOST = 268_435_456;
/** Octets that are asked for in order to find out how fast a client is. */
export const STREAM_TRIAL = 4_194_304;
/** Milliseconds for which such a call waits for a client that takes nothing: then it is no fast one any longer. */
export const STREAM_WAIT_MS = 20;
/** Octets that a fast client's connection may hold unsent, in place of `UNSENT_LOW`: he soon has them. */
export const STREAM_UNSENT = 4_194_304;
/** Threads of libuv's pool, as libuv reads it, and those of them that may wait for clients: disks need some too. */
const POOL = Math.max(Number(process.env["UV_THREADPOOL_SIZE"]) || 4, 2);
export const STREAMS_AT_ONCE = POOL - Math.ceil(POOL / 4);
/** Transfers that may wait for such a call; those beyond go without. */
export const STREAMS_WAITING = 10_000;
/** Such calls that may fail one after another, each when the socket says that it has room. */
export const ELSEWHERE_TRIES = 3;
/** Octets of a step under a throttle: all of them must go out before it gives leave for more. */
export const THROTTLED_SEND = 65_536;
/** Octets of a file that go out through a buffer: for so few sendfile costs more than the copy. */
export const SMALL_SEND = 65_536;
/** Octets of an upload that are written on the event loop, as a short file is; what follows goes to other threads. */
export const SMALL_RECEIVE = 131_072;
/**
 * Milliseconds that such a write may take before the disk counts as slow, and for how long it then does. The kernel
 * holds up who writes too much for 10 ms and more; less may be another process on the same processor.
 */
export const SLOW_WRITE_MS = 20;
export const SLOW_DISK_MS = 1_000;
/** Octets of one buffer of MODE Z: each is one job of the thread pool, some 2 ms of compressing at level 1. */
export const CODING_BUFFER = 131_072;
/** Compressed transfers of a process at once, more get 450: each context holds up to 268 KiB (zlib's zconf.h), 128 MiB with buffers. */
export const CODED_AT_ONCE = 256;
/** Jobs of compressing at once in libuv's pool of 4 threads: the others stay free for files. */
export const COMPRESSING_AT_ONCE = 2;
/** Unasked level of compressing: 180 MB a CPU second and 4.7 to 1 for text; level 6 has 59 MB and 5.9 to 1 (measured). */
export const DEFLATE_LEVEL = 1;
/** Octets that an upload may inflate to for each octet sent: text and logs stay below 30, deflate itself ends at 1,032 (attack 52). */
export const INFLATE_RATIO = 100;
/** Octets that an upload may inflate to before that ratio counts: for the zeros that many a disk image begins with. */
export const INFLATE_GRACE = 16_777_216;
