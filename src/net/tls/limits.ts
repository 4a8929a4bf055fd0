/** The limits of certificates and keys, each with its unit and where the number comes from. */

/** Octets of a certificate or key file: 16 certificates of RSA 4096 with their text take some 150 KiB. */
export const PEM_FILE_LIMIT = 262_144;
/** Certificates in one file: public chains have 2 to 4, and each is parsed. */
export const CHAIN_LIMIT = 16;
/** Names in a certificate that we make: as many as the large public authority allows; each client receives them all. */
export const NAMES_LIMIT = 100;
/** Characters of a host name without its last dot (RFC 1123 §2.1 asks for at least 255 with everything). */
export const HOST_NAME_LIMIT = 253;
/** Characters of a name's label: RFC 1123 §2.1. */
export const LABEL_LIMIT = 63;
/** Characters of a common name: the upper bound that RFC 5280 appendix A sets. */
export const COMMON_NAME_LIMIT = 64;
/** Octets of a user name taken from a certificate: as long as the longest host name or mail address. */
export const IDENTITY_LIMIT = 255;
/** Days that a certificate of ours may be valid: ten years, for those who renew by hand. */
export const DAYS_LIMIT = 3_650;
/** Days from the making on: with the day before, 825 in all, beyond which Apple's clients refuse a certificate. */
export const OWN_DAYS = 824;
/** Milliseconds before the end from which an administrator is warned: a month, as public authorities do. */
export const EXPIRY_WARNING_MS = 30 * 86_400_000;
/** Bits of the smallest RSA key: OpenSSL's security level 2 (112 bits of strength) refuses less. */
export const RSA_BITS = 2_048;
/** Times that a start looks again at a pair that other starts change meanwhile; each look ends with a fitting pair or a change. */
export const OWN_ATTEMPTS = 8;
/** Milliseconds between two looks at certificate files: soon enough after a renewal, and nothing beside the work of serving. */
export const LOOK_MS = 10_000;
/** Milliseconds between two looks, at least and at most: a busy loop, and what a timer can hold with room (2^31). */
export const LOOK_BOUNDS_MS = { least: 10, most: 86_400_000 } as const;
/** Milliseconds that changed files must be at rest before they are read: one written in pieces has its end by then. */
export const SETTLE_MS = 1_000;
/** Times that a reload on demand reads files that change under it; a renewal writes each of them once. */
export const RELOAD_ATTEMPTS = 4;
/** Octets of the ticket keys of one session: name, HMAC key and AES key (Node's tls.Server). */
export const TICKET_KEYS = 48;
/** Contexts kept for the next handshakes, for each certificate: some 30 KiB each; more handshakes at once make more. */
export const CONTEXTS_KEPT = 64;
/** Octets of one read of an upload over TLS: some 0.2 ms of decryption; larger ones were no faster, 64 KiB a fifth slower. */
export const TAP_OCTETS = 262_144;
/** Octets that all uploads over TLS of a process may read in one turn of the event loop: some 2 ms of decryption. */
export const TAPS_TURN_OCTETS = 2_097_152;
/** Octets of one read though very many read at once: below this the calls cost more than what they bring. */
export const TAP_LEAST = 32_768;
/** Octets of a TLS record with its header and tag (RFC 8446 §5.2). */
export const RECORD_MOST = 16_645;
/** Octets of an upload over TLS that are kept in buffers of their own size: a short one needs no large buffer. */
export const INFLOW_EARLY = 65_536;
