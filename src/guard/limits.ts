/** What the guard remembers at most, and how it counts; each with its unit and where the number comes from. */

/** Bits of an IPv6 address that name one customer's link (RFC 4291 §2.5.4): sessions and scores count by these. */
export const LINK_BITS = 64;
/** Bits that an IPv6 customer gets at most from a usual provider: whoever has all of it has 65,536 links to hop among. */
export const SITE_BITS = 48;
/** How much more than one link all links of a site may do together: an office with many links, but not 65,536 of them. */
export const SITE_SHARE = 16;
/** Levels on which points are summed: prefix, and how many times the threshold bans it. 8 banned links in a /56 ban that. */
export const IPV6_LEVELS = [
  { prefix: LINK_BITS, times: 1 },
  { prefix: 56, times: 8 },
  { prefix: SITE_BITS, times: 64 },
] as const;
/** An IPv4 address is one customer, or many behind a NAT; its neighbours are strangers, so no wider network is banned. */
export const IPV4_LEVELS = [{ prefix: 32, times: 1 }] as const;

/**
 * Networks whose points are remembered; the one that offended longest ago goes first.
 * Each of these tables is some 5 MiB when full. A site is
 * touched with each of its links, so that hopping among links does not push its own record out.
 */
export const SCORES_KEPT = 16_384;
/** Networks whose connection rate is remembered; a minute of silence is as good as being forgotten. */
export const RATES_KEPT = 16_384;
/** Pairs of network and account that failed; a forgotten pair is merely not forgiven. */
export const PAIRS_KEPT = 16_384;
/** Bans that the guard makes itself; beyond it sites are banned whole, then those go that end first. Some 300 octets each. */
export const BANS_KEPT = 10_000;
/** Bans made by hand; they are never dropped, and more belong into a firewall or the `deny` list. */
export const MANUAL_BANS_KEPT = 10_000;
/** Bans that are dropped at once when there are too many, so that the next one costs nothing again. */
export const BANS_DROPPED = 100;
/** Accounts whose networks are remembered, the one that signed in longest ago goes first. */
export const ACCOUNTS_KEPT = 10_000;
/** Networks from which one account signed in; a person has a home, an office and a telephone or two. */
export const NETWORKS_PER_ACCOUNT = 16;
/** Bits of the networks from which an account is known: a provider gives its customer another address of the same. */
export const KNOWN_BITS = { ipv4: 24, ipv6: SITE_BITS } as const;
/**
 * How many times the threshold of an address an account takes before it is closed to networks that it is not known from:
 * one address is banned at 1, so this many addresses have been at it.
 */
export const ACCOUNT_TIMES = 4;
/** Milliseconds after which failed logins no longer make the next answer later; a person has come back by then. */
export const DELAY_MEMORY_MS = 600_000;
/** Characters of an account's name that are compared; clients send what they like, up to a whole line. */
export const NAME_COMPARED = 128;
/** Characters of a ban's reason. */
export const LONGEST_REASON = 200;
/** Seconds of the longest ban: 10 years; for longer there is `deny`. */
export const LONGEST_BAN = 315_360_000;
/** Lines that wait behind one that is held back, from which a session counts as a flood: most of the server's queue of 64. */
export const FLOOD_QUEUE = 48;
/** Milliseconds for which a session may be a flood before it is ended. */
export const FLOOD_PATIENCE_MS = 30_000;
