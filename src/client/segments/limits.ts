/** The limits of segmented downloads, with their units and where the numbers come from. */

/** Octets of the least segment at the start: below that a further connection costs more than it brings (lftp's pget takes 1 MiB too). */
export const SEGMENT_LEAST = 1_048_576;
/** Octets that must be left of a segment for half of it to be taken over: some 20 packets on each side. */
export const TAKE_OVER_LEAST = 65_536;
/** Milliseconds that a segment must still need for half of it to be taken over: a new transfer costs 4 round trips. */
export const TAKE_OVER_WORTH_MS = 1_000;
/** Milliseconds without an octet after which a segment is taken away from its connection, if another one is idle. */
export const STUCK_MS = 5_000;
/** Milliseconds after which a connection without work looks again whether there is some. */
export const LOOK_MS = 250;
/** Connections of one download at most, whatever was asked for. */
export const SEGMENTS_MOST = 64;

/** "auto": octets below which one connection does it. */
export const AUTO_SMALL = 8_388_608;
/** "auto": connections at most, as many as servers mostly allow from one address. */
export const AUTO_MOST = 8;
/** "auto": milliseconds for which a number of connections is measured, TCP's slow start included. */
export const AUTO_STEP_MS = 700;
/** "auto": how many times faster it must have become for more connections to be added. */
export const AUTO_GAIN = 1.15;

/** Milliseconds between two writes of the journal: what a kill may cost at most. */
export const JOURNAL_EVERY_MS = 500;
/** Milliseconds between two waits for the disk: what the loss of power may cost, and what a short download need not wait for. */
export const SYNC_EVERY_MS = 5_000;
/** Ranges in a journal: several for each connection. The shortest of more are loaded again. */
export const JOURNAL_RANGES = 512;
/** Octets of a journal that is read: twice as many ranges in digits, and its head. */
export const JOURNAL_OCTETS = 65_536;
/** Names in the folder of the target among which journals of older versions are looked for. */
export const FOLDER_LOOKED_AT = 10_000;

/** Places, and octets at each, that are compared where mirrors have no digests to compare. */
export const SAMPLES = 4;
export const SAMPLE_OCTETS = 16_384;
/** Milliseconds for which the mirror that was named first is waited for when another has answered already. */
export const LEADER_WAIT_MS = 2_000;
/** How often a file is loaded anew in one call because it changed at the server meanwhile. */
export const CHANGES_MOST = 2;
