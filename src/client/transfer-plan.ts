/** What a session is told of a transfer, and what it tells afterwards. */
import type { Throttle } from "../net/throttle.ts";
import type { DataTransport } from "../net/transport.ts";
import type { DataMode, FtpReply } from "./errors.ts";

export type TransferPlan<T> = {
  /** The command that starts it: `RETR name`. */
  readonly command: string;
  readonly direction: "in" | "out";
  readonly type: "A" | "I";
  /** REST before it; 0: none. */
  readonly offset?: number;
  /** Where the server knows no REST the file comes from its start, and what was not wanted of it is dropped. */
  readonly mayDrop?: boolean;
  /** The octet after the last, for servers that have RANG; others send on, and `move` must stop there. Needs `isPart`. */
  readonly end?: number | undefined;
  /** Too little will come for what large files need to be loaded: a listing. */
  readonly isShort?: boolean;
  /** Of messages: `cannot get /pub/a.iso`. */
  readonly what: string;
  readonly throttle?: Throttle | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Moves the octets, until `life` says that nobody wants them any longer; it may end that itself, with an error. What it
   * leaves unread is cut off; then `isPart` must be set.
   */
  readonly move: (transport: DataTransport, life: AbortController) => Promise<T>;
  /**
   * Commands for when it has come to its good end; replies to `after`. With servers that read them in order they cost no
   * round trip: of a download they go out with it, and so must change nothing.
   */
  readonly follow?: (() => readonly string[]) | undefined;
  /** Asked when the data connection has ended: all of it is there, whatever the server says now. It may then be lost. */
  readonly isWhole?: () => boolean;
  /** The caller stops before the end of the file: the server may call that a fault (426, 451). */
  readonly isPart?: boolean;
  /**
   * Asked where the last reply came at once and then nothing for `EMPTY_WAIT_MS`: some servers open no data connection for
   * an empty listing. @returns what the caller has then; undefined: something has come, so it is waited for.
   */
  readonly nothing?: () => T | undefined;
};

export type TransferEnd<T> = {
  readonly value: T;
  readonly mode: DataMode;
  readonly isPrivate: boolean;
  /** Absent if the control connection was lost while the data connection came to its good end. */
  readonly reply: FtpReply | undefined;
  /** Replies to the commands that followed, as far as they came. */
  readonly after: readonly FtpReply[];
};
