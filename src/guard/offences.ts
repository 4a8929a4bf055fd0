/** What earns points towards a ban, and how many. Set beside the threshold of 95. */

const POINTS = {
  /** Ten of them ban (attack 37). The same for a name that does not exist: the number of tries until a ban must not tell. */
  "login-failed": 10,
  /** Connected and never signed in until the time-out: scanners, slow clients (attack 54); a person who was called away. */
  "login-timeout": 5,
  /**
   * Refused for coming too often: a flood has them in a second, a script that runs over now and then does not. Too many
   * sessions are no offence: clients retry by themselves, and a ban would end the good sessions of the same office.
   */
  "connection-rate": 1,
  /** Kept sending commands ahead of a rate that it was held back to. */
  "command-flood": 20,
  /** Speaks HTTP (attack 11): a browser was led here, which its user cannot help, or somebody leads them. */
  "http-verb": 20,
  /** PORT to a third host or a low port (attack 1). Clients behind a broken NAT do it too, without knowing. */
  bounce: 5,
  /** A data connection from an address that is not the session's: a thief, or a client with several ways out. */
  "foreign-data": 10,
  /** A path that climbs far above the root: it leads nowhere, but no client makes one by itself. */
  traversal: 10,
  /** A line over the limit, or octets that are no command. */
  "not-ftp": 2,
  /** A TLS handshake that failed: scanners, and old clients that retry without it. */
  "tls-failed": 2,
} as const;

export type Offence = keyof typeof POINTS;

export function isOffence(name: unknown): name is Offence {
  return typeof name === "string" && Object.hasOwn(POINTS, name);
}

export function pointsOf(offence: Offence): number {
  return POINTS[offence];
}
