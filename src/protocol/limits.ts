/** The limits of FTP's values, each with its unit and where the number comes from. */

/** Octets of one command line with its CRLF; attack 42. Holds a verb and a path of nearly PATH_LIMIT octets. */
export const LINE_LIMIT = 4096;
/** Octets that a splitter holds from the start; it grows to its limit only for lines that need it. 5,000 idle sessions cost 1 MiB. */
export const LINE_START = 256;
/** Octets of one Telnet subnegotiation (RFC 854); FTP has none, and the longest of common options stay below this. */
export const SUBNEGOTIATION_LIMIT = 512;
/** Characters of a verb. RFC 959 §5.3 says 3 or 4; XSHA512 and the like are longer. */
export const VERB_LIMIT = 16;
/** Octets of a virtual path: PATH_MAX of Linux. */
export const PATH_LIMIT = 4096;
/** Octets of one part of a virtual path: NAME_MAX of Linux, and of nearly every other file system. */
export const NAME_LIMIT = 255;
/** Octets of one line of a reply that we read: a 257 whose PATH_LIMIT octets are all doubled twice (quotes, IAC). */
export const REPLY_LINE_LIMIT = 16_384;
/** Octets of one reply that we read: a STAT listing of some 10,000 entries (basic-ftp's GHSA-rpmf-866q-6p89 had no limit). */
export const REPLY_LIMIT = 1_048_576;
/** Patterns that the braces of one glob may stand for; beyond it braces are plain characters (attack 46). */
export const GLOB_ALTERNATIVES = 64;
/**
 * Tokens that braces may expand a glob to, all patterns together; beyond it braces are plain characters. It bounds the
 * time per name, measured at 1 ms for the worst pattern of a command line and a name of 255 octets (attack 46).
 */
export const GLOB_TOKENS = 512;
/** Days whose calendar date is remembered: eleven years, about 200 KiB. */
export const DAY_CACHE = 4096;
/** Owners and groups whose column is remembered; few systems have more of them in one listing. */
export const OWNER_CACHE = 256;
/** Milliseconds for which a listing shows the hour instead of the year: half a year, as `ls` (POSIX, STDOUT of ls -l). */
export const RECENT_MS = 180 * 86_400_000;
/** Milliseconds by which a date may lie ahead and still show its hour: clients' clocks and zones differ by up to a day. */
export const AHEAD_MS = 86_400_000;
/** Words of a line of a listing that are looked at: the longest date of the longest `ls` ends before, names of owners with spaces and all. */
export const LISTING_WORDS = 24;
