/** The limits of the broker's side, each with its unit and where the number comes from. */

/** Octets of the terms that a launcher reads: one variable may have 128 KiB (MAX_ARG_STRLEN of linux/binfmts.h). */
export const TERMS_LIMIT = 114_688;
/** Folders that one worker is given by descriptor: each is a rule of Landlock and a descriptor in both processes. */
export const ROOTS_LIMIT = 256;
/** Octets of /etc/passwd and /etc/group that are read: 10,000 users of 100 octets a line. */
export const DATABASE_LIMIT = 1_048_576;

/** Octets of one message of a worker: a request is names and numbers, the longest a path of 4 KiB in any coding. */
export const MESSAGE_LIMIT = 65_536;
/** Notes in one message of a worker, each of some 300 octets at most. */
export const NOTES_AT_ONCE = 32;
/** Milliseconds that a note which nothing waits for may wait for others to go with. */
export const LATER_MS = 10;
/** Requests of one worker that have no answer yet, in all its sessions; each may hold a handler's memory. */
export const OUTSTANDING_LIMIT = 256;
/** Requests and notices that wait for a worker which does not read; twice what may be outstanding. */
export const UNREAD_MESSAGES = 512;
/** Wrong messages after which a worker is killed: ours sends none, so this only bounds the log. */
export const WRONG_MESSAGES = 8;
/** Milliseconds for one request: a slow account database is the longest, and a client waits for it. */
export const HANDLER_TIME_MS = 30_000;
/** Milliseconds after which a worker gives a request up: the broker's own limit and some for a busy machine. */
export const ANSWER_TIME_MS = 35_000;

/** Milliseconds from start to readiness: Node starts twice, on a machine that is busy with many of them. */
export const READY_LIMIT_MS = 30_000;
/** Milliseconds between two pings. */
export const PING_EVERY_MS = 5_000;
/** Milliseconds without a pong after which a worker counts as stuck: six pings, so that one long pause is forgiven. */
export const PONG_LIMIT_MS = 30_000;
/** Milliseconds: a worker that lives shorter died young, and the next start waits longer. */
export const YOUNG_MS = 10_000;
/** Milliseconds before a worker that died young is started again; doubled each time up to the second. */
export const FIRST_PAUSE_MS = 100;
export const LONGEST_PAUSE_MS = 30_000;
/** Deaths of all workers within a minute, beyond which it is a fault and starts are only tried slowly. */
export const DEATHS_PER_MINUTE = 20;
/** Milliseconds from SIGTERM to SIGKILL. */
export const TERM_GRACE_MS = 2_000;

/** Descriptors that a service manager may hand over: beyond it something else set the variable. */
export const ACTIVATION_LIMIT = 64;
/** Octets of one state for the service manager: it reads datagrams of 4 KiB (systemd's NOTIFY_BUFFER_MAX). */
export const NOTIFY_LIMIT = 4_096;
