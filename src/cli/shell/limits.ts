/** The limits of the interactive shell, with their units and where the numbers come from. */

/** Connections that are open at the same time, each in its slot: as many as a person tells apart. */
export const SLOTS_MOST = 10;
/** Macros of macdef, and lines of one: a few times what ftp takes. */
export const MACROS_MOST = 100;
export const MACRO_LINES_MOST = 1_000;
/** Octets of a list of names for `fget`. */
export const NAMES_FILE_MOST = 16_777_216;
/** Parts in which `pget` fetches a file without being told, and at most. */
export const SEGMENTS_USUAL = 5;
export const SEGMENTS_MOST = 32;
/** Characters of one command line, or of all that `-c` says: more than any person types, and no burden. */
export const LINE_MOST = 65_536;
/** Words of one line: as many names as a glob of a shell may have put there. */
export const WORDS_MOST = 10_000;
/** Aliases that stand for aliases, and files that read files. */
export const NESTING_MOST = 16;
/** Aliases that may be set. */
export const ALIASES_MOST = 1_000;
/** Octets of a file of commands. */
export const SCRIPT_MOST = 1_048_576;
/** Jobs that run or wait: each may hold connections and names. */
export const JOBS_MOST = 100;
/** Octets of a background job's output that are kept until its end is told. */
export const JOB_OUTPUT_MOST = 65_536;
/** Ends of background jobs that are kept for the next prompt. */
export const JOBS_ENDED_MOST = 100;
/** Lines of history in memory and in its file. */
export const HISTORY_MOST = 1_000;
/** Lines that came faster than they could be worked on: a block of text that was pasted. */
export const PENDING_LINES = 10_000;
/** Names that a glob may stand for, and folders that it may look into. */
export const GLOB_MOST = 100_000;
export const GLOB_FOLDERS = 10_000;
/** Files that one command moves at the same time, at most; the connections of a client are fewer. */
export const PARALLEL_MOST = 32;
/** Milliseconds that completion waits for a listing: longer, and the key seems dead. */
export const COMPLETION_WAIT_MS = 300;
/** Milliseconds for which a listing is good for completion. */
export const COMPLETION_CACHE_MS = 10_000;
/** Folders, and names of each, that completion remembers. */
export const COMPLETION_FOLDERS = 50;
export const COMPLETION_NAMES = 5_000;
/** Octets of a file that `edit` takes: an editor for text. */
export const EDIT_MOST = 67_108_864;
/** Times that `repeat` runs a command, and seconds that it or `sleep` waits. */
export const REPEAT_MOST = 1_000_000;
export const SLEEP_MOST = 604_800;
