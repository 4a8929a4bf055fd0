/** The limits of the client, with their units and where the numbers come from. */

/** Control connections of one client: many servers allow about 8 to 10 from one address. */
export const POOL_MOST = 8;
/** Milliseconds that a control connection may lie idle before it is checked with a NOOP when it is taken. */
export const POOL_CHECK_MS = 15_000;
/** Milliseconds that a control connection may lie idle before it is closed. */
export const POOL_IDLE_MS = 60_000;
/** Milliseconds after which one control connection more is tried where the server had said that there are too many. */
export const POOL_REGROW_MS = 60_000;
/** Milliseconds of silence after which the kernel asks whether the server is still there: NATs forget after some minutes. */
export const KEEP_ALIVE_MS = 45_000;
/** Calls that may wait for a control connection. */
export const POOL_WAITING = 100_000;
/** Milliseconds for a connection to come about, and for a reply: servers may delay a wrong password by some seconds. */
export const REPLY_WAIT_MS = 30_000;
/** Milliseconds for the 226 after a transfer's end: a server may have to write a large file to its disk first. */
export const FINISH_WAIT_MS = 120_000;
/** Milliseconds for the 226 of a download whose every octet is there: a firewall may have forgotten the control connection. */
export const FINISH_WHOLE_MS = 5_000;
/** Milliseconds for the first octet of a listing after its 226: what was sent before the reply comes within a round trip or two. */
export const EMPTY_WAIT_MS = 1_500;
/** Milliseconds without an octet after which a transfer has stalled. */
export const STALL_MS = 60_000;
/** Milliseconds for which a passive port may be silent before the next mode joins: a lost SYN is repeated after 1 s. */
export const MODE_WAIT_MS = 1_200;
/** Milliseconds at most for a mode that worked before: it is slow rather than blocked, if the way is long. */
export const KNOWN_MODE_WAIT_MS = 5_000;
/** How much longer it is given, in times that the reply before took: a SYN takes one, where none is lost. */
export const KNOWN_MODE_TRIPS = 8;
/** Milliseconds for a further passive mode: it goes to the same host mostly. */
export const SECOND_MODE_WAIT_MS = 700;
/** Milliseconds for which the server may take to connect to us. */
export const ACTIVE_WAIT_MS = 5_000;
/** Milliseconds for a reply that explains why the data connection has just failed: a round trip to the far side of the earth. */
export const REFUSAL_WAIT_MS = 250;
/** Milliseconds in which an aborted transfer must be answered, or its control connection is given up. */
export const ABORT_WAIT_MS = 3_000;
/** How often a call is tried in all, the milliseconds before the second try, and the longest wait between two. */
export const RETRY_ATTEMPTS = 5;
export const RETRY_FIRST_MS = 500;
export const RETRY_MOST_MS = 30_000;
/** Octets of one read of a local file. */
export const READ_BUFFER = 1_048_576;
/** Octets that `read` takes into memory unless it is told otherwise. */
export const READ_MOST = 67_108_864;
/** Octets of one listing, which lie in memory if the caller is slow: some 700,000 lines. */
export const LISTING_MOST = 67_108_864;
/** Octets of one line of a listing. */
export const LISTING_LINE = 16_384;
/** Lines of a listing that are kept because no format fits. */
export const WARNINGS_MOST = 100;
/** Levels that `walk` goes down. */
export const WALK_DEPTH = 64;
/** Folders that `walk` knows of and has not read. */
export const WALK_WAITING = 1_000_000;
/** Links to folders that are followed on the way to a file of a tree: a loop on the server cannot be seen otherwise (as Linux's MAXSYMLINKS / 5). */
export const LINKS_DEEP = 8;
/** Failures, and warnings, that the report about a tree keeps; more failures are counted. */
export const [FAILURES_KEPT, WARNINGS_KEPT] = [1_000, 200];
/** Characters of one pattern or regular expression of those that choose files of a tree. */
export const PATTERN_LENGTH = 4_096;
/** Sessions of TLS 1.3 that are kept for data connections: a server gives two at first and one with each connection. */
export const TICKETS_KEPT = 8;
/** Octets of a path or argument of a command. */
export const ARGUMENT_MOST = 4_096;
/** Replies that may come before we have asked for them: a server that chatters. */
export const EARLY_REPLIES = 16;
/** Octets of names that are remembered because they cannot be found from their text alone: some 100,000 names. */
export const NAMES_REMEMBERED = 16_777_216;
/** Names from which the character set of a server is guessed: a few hundred tell as much as all. */
export const GUESS_NAMES = 200;
/** Entries of a listing that wait for that. */
export const GUESS_HELD = 1_000;
/** Names of UTF-8 after which no other set is looked for: until then each is remembered, so that no other name gets its text. */
export const GUESS_PLAIN = 1_000;
/** Octets that each of them costs beside its own two forms: two strings and a place in a map. */
export const NAME_COST = 100;
/** Characters of a line of a listing that a warning shows: a few lines of a terminal. */
export const WARNING_SHOWN = 300;
/** Milliseconds between two transfers of a session that count as one after another: then a third is likely. */
export const STREAK_MS = 500;
/** Milliseconds for which a passive port that was asked for early is still used: servers close them after some 30 s or more. */
export const AHEAD_MS = 5_000;
/** Preliminary replies before the one that counts: 120 and a few of servers that say how far they are. */
export const PRELIMINARY_MOST = 32;
/** How often all data modes are tried, and how much longer each is waited for the second time: on a long way all may be slow. */
export const [ROUNDS_MOST, PATIENCE_FACTOR] = [2, 4];

/** Octets of a file from which a part of it is left when nobody said that he would go on: below it is fetched again at once. */
export const PART_KEPT_LEAST = 1_048_576;
