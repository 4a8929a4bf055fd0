/** What a transfer asks of its data connection, in two makes: `data-connection.ts` (streams) and `native-connection.ts`. */

/** Octets of a file from `start` up to, not with, `end`. */
export type FileSpan = { readonly start: number; readonly end: number };
/** Hears of octets as the kernel takes them. */
export type Moved = (octets: number) => void;

export interface DataTransport extends AsyncDisposable {
  /** Octets of this transfer that may lie in memory; a sender's buffers are to keep to it too. */
  readonly memory: number;
  /** Sends one buffer; settles when the kernel has taken all of it, so the buffer may then be reused. @throws {DataError} */
  send(chunk: Buffer, moved?: Moved): Promise<void>;
  /** Ends a download: all is sent and our FIN follows it. @throws {DataError} */
  finish(): Promise<void>;
  /**
   * What has come since the last call: at least one buffer, or none at the end of the upload, which is the peer's FIN
   * alone. Buffers may be used again by the next call. @throws {DataError}
   */
  receive(): Promise<readonly Buffer[]>;
  /**
   * Sends from an open file in the kernel.
   * @returns the position reached. Short of the end, the file gave no more this way: reading it tells why.
   * @throws {DataError}
   */
  sendFile?(descriptor: number, span: FileSpan, moved: Moved): Promise<number>;
  /**
   * Writes what comes to an open file, at its own position, by other threads.
   * @returns "end" after the peer's FIN; else what has come and could not be written this way, and is the caller's.
   * @throws {DataError}
   */
  receiveFile?(descriptor: number, moved: Moved): Promise<"end" | readonly Buffer[]>;
}
