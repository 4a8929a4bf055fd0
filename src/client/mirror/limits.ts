/** The limits of a mirror, with their units and where the numbers come from. */

/** Steps that are taken at the same time unless the caller says otherwise: half of what most servers allow an address. */
export const MIRROR_PARALLEL = 4;
/** Steps at the same time at most: each may hold two descriptors and a connection. */
export const MIRROR_PARALLEL_MOST = 64;
/** Folders whose listings are read ahead of the one that is compared: their entries lie in memory. */
export const FOLDERS_AHEAD = 4;
/** Folders that are known and not compared yet: some 200 octets each. */
export const FOLDERS_WAITING = 1_000_000;
/** Entries of one folder, as they lie in memory together: some 150 octets each. */
export const FOLDER_ENTRIES = 5_000_000;
/** Levels below the mirrored folder, as those of `walk`: deeper trees are links that lead round, or an attack. */
export const MIRROR_DEPTH = 64;
/** Tries after a passing failure, for all files of a job together: a server that is gone ends the job. */
export const MIRROR_RETRIES = 200;
/** How often a listing that breaks off is asked for in all, beside the client's own tries. */
export const LIST_TRIES = 3;
/** How often one file is tried in all. */
export const FILE_TRIES = 4;
/** Octets from which an interrupted upload is gone on with: below it starting anew costs less than a note about it. */
export const RESUME_LEAST = 262_144;
/** Refusals one after the other after which an optional command is not tried any more: one file may be another's. */
export const REFUSALS_MOST = 3;
/** Steps that lie in memory before they go to a temporary file: some 2 MiB. */
export const SPOOL_MEMORY = 10_000;
/** Octets of spooled steps that are written at a time. */
export const SPOOL_BLOCK = 65_536;
/** Folders of the local tree that are held open though nothing is done in them: their neighbours come next. */
export const FOLDERS_OPEN = 64;
/** Local entries of which one call to the file system is made each, one after the other, before others get a turn. */
export const STAT_BATCH = 64;
/** Milliseconds for such a batch beyond which the disk counts as slow and is asked without waiting: 50 µs an entry. */
export const STAT_BATCH_MS = 3.2;
/** Octets of the list of unfinished uploads that are read: some 20,000 of them. */
export const JOURNAL_OCTETS = 4_194_304;
/** Octets that are read at a time for a digest. */
export const DIGEST_BLOCK = 262_144;
/** Octets of a file with filter rules. */
export const RULES_OCTETS = 1_048_576;
