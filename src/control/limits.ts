/** The limits of the control socket, each with its unit and where the number comes from. */

/** Octets of a request's line: the longest request names a network and a reason, some 500 octets. */
export const REQUEST_LIMIT = 65_536;
/** Octets of an answer's line: 20,000 bans at their longest take some 10 MiB. */
export const ANSWER_LIMIT = 33_554_432;
/** Clients at once; administrators and their scripts, each for some milliseconds. */
export const CLIENT_LIMIT = 32;
/** Milliseconds in which a client must have sent its request, and taken its answer after it is there. */
export const CLIENT_PATIENCE_MS = 10_000;
/** Milliseconds that a handler may take before the client is told that it did not answer. */
export const HANDLER_PATIENCE_MS = 30_000;
/** Milliseconds that `askServer` waits in all: longer than the server takes at most. */
export const ANSWER_PATIENCE_MS = 45_000;
/** Octets of a unix socket's path with its closing NUL: sun_path, man 7 unix (macOS: 104). */
export const SOCKET_PATH_LIMIT = 104;
