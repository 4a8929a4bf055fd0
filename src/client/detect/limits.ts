/** The limits of `detect()`, with their units and where the numbers come from. */

/** Milliseconds for one data mode, its login left out: active mode alone may wait 10 s for the server. */
export const MODE_MS = 20_000;
/** Milliseconds for which a passive port may be silent: somebody looks on, and a slow one is not to be called blocked. */
export const PORT_MS = 5_000;
/** Octets of a listing that are read: enough to know that it works, and to find some files in it. */
export const LISTING_OCTETS = 262_144;
/** Folders that are looked into for files whose time can be compared: a home may hold nothing but `pub`. */
export const FOLDERS_LOOKED_INTO = 6;
/** Files whose MDTM is compared with LIST: a majority of some few tells the zone. */
export const FILES_COMPARED = 8;
/** Octets of the file that pipelining is tried with: it is fetched twice. */
export const PROBE_FILE_MOST = 262_144;
/** Milliseconds between RETR with EPSV and our connection, beside three round trips: the server has read both by then. */
export const PIPELINE_PAUSE_MS = 150;
/** Milliseconds of that pause at most. */
export const PIPELINE_PAUSE_MOST_MS = 2_000;
/** Milliseconds for each step of the try at pipelining. */
export const PIPELINE_STEP_MS = 8_000;
/** Warnings that a profile holds. */
export const WARNINGS_MOST = 40;
/** Days before the end of a certificate from which it is worth a warning: authorities renew at 30. */
export const CERTIFICATE_DAYS = 21;
