/**
 * What carries a control connection: octets both ways and nothing of what they mean. Either one of Node's sockets, in
 * clear or with TLS over it (socket-wire.ts), or a bare descriptor, always in clear (descriptor-wire.ts).
 */
import type { Socket } from "node:net";
import type { Endpoint } from "./addresses.ts";

export type Ears = {
  /** @param chunk may be overwritten after the call. */
  readonly onOctets: (chunk: Buffer) => void;
  /** The other end sends nothing more. */
  readonly onEnd: () => void;
};

export type Wire = {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  /** Octets that wait to be sent. */
  readonly unsent: number;
  /** False once it is closed or our end was sent. */
  readonly isWritable: boolean;
  readonly isPaused: boolean;
  /** Reads from now on, in place of whoever did before. */
  hear(ears: Ears): void;
  pause(): void;
  resume(): void;
  /** Reads on and forgets it. */
  ignore(): void;
  /** @param octets one per character. What cannot be sent at once waits here: whoever writes much looks at `unsent`. */
  write(octets: string): void;
  /** Settles when nothing is unsent any more, or it is closed. */
  drained(): Promise<void>;
  /** Our end, after all that was written. The other end's is waited for, and then all is closed. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Called once, after it was closed for whatever reason. */
  onClosed(act: () => void): void;
  /**
   * Stops reading and hands the connection over to a socket, which TLS goes over; this one is of no use any more.
   * @returns one that is destroyed, if the connection is closed already.
   */
  toSocket(): Socket;
};
