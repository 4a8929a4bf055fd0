/** What a program says to the client library and hears from it: the types of `ferryman/client`. */
import type { Readable, Writable } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import type { ByteString } from "../base/bytes.ts";
import type { DigestName } from "../protocol/digest.ts";
import type { ListingKind } from "../protocol/listings/reader.ts";
import type { DataMode, FtpError, FtpReply } from "./errors.ts";
import type { Profile } from "./profile.ts";
import type { DataOptions, ProxyOptions, TlsMode, TlsOptions } from "./way-types.ts";

export type { DataOptions, ProxyOptions, TlsMode, TlsOptions } from "./way-types.ts";

/** What every call takes. */
export type CallOptions = {
  /** Ends the call: it rejects with the signal's reason, and the connection is in order again or given up. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call, retries included. None: no such limit (each wait inside has its own). */
  readonly timeoutMs?: number | undefined;
};

export type RetryOptions = {
  /** How often a call is tried in all. Default `RETRY_ATTEMPTS`. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second try; each wait is twice the one before, with a part of chance. */
  readonly firstMs?: number | undefined;
  readonly mostMs?: number | undefined;
};

export type ConnectOptions = CallOptions & {
  /** In place of what the URL says. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** For ACCT (332). */
  readonly account?: string | undefined;
  /** `ftp:` "auto", `ftpes:` "explicit", `ftps:` "implicit", unless it is said here. */
  readonly tls?: TlsMode | (TlsOptions & { readonly mode?: TlsMode | undefined }) | undefined;
  readonly data?: DataOptions | undefined;
  readonly proxy?: string | ProxyOptions | undefined;
  /** Control connections at the same time. Default `POOL_MOST`; fewer once a server says that it is too many. */
  readonly connections?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Milliseconds for a connection to come about and for a reply. Default `REPLY_WAIT_MS`. */
  readonly replyMs?: number | undefined;
  /** Milliseconds without an octet after which a transfer fails; waits for our own side do not count. Default `STALL_MS`. */
  readonly stallMs?: number | undefined;
  /** Octets per second for all transfers of this client together. */
  readonly rate?: number | undefined;
  /**
   * Of names: "utf-8", or one that `TextDecoder` knows. Default: UTF-8 if a name is that; else what the names of listings
   * clearly are, of the sets of Russian, Japanese, Chinese and Korean; else latin1. New names are written in UTF-8 then.
   */
  readonly charset?: string | undefined;
  /**
   * How folders are listed. Default: MLSD where FEAT offers it, else LIST. What the server does not know (500, 502, 504) gives
   * way to the next of the three, and is not asked again; NLST tells names alone, so each of them is asked for.
   */
  readonly listing?: ListingKind | undefined;
  /**
   * Minutes that the server's clock is ahead of UTC in LIST, -1440 to 1440. Default: what MDTM of a listed file tells, once
   * for each client; else 0. MLSD is always in UTC (RFC 3659 §2.3).
   */
  readonly zoneMinutes?: number | undefined;
  /** What `detect` has found of this server, such as one kept as JSON: it stands in for what is not said here. */
  readonly profile?: Profile | undefined;
  /**
   * The next EPSV goes out while a transfer runs, which saves a round trip: "auto" with servers that are known to bear it,
   * "on" in any case, "off" never. Default "auto".
   */
  readonly pipelining?: "auto" | "on" | "off" | undefined;
  /** Where profiles and trusted certificates are kept. false: nothing is kept. Default: `$XDG_STATE_HOME/ferryman`. */
  readonly store?: string | false | undefined;
  /** "4" or "6": addresses of that family alone. */
  readonly family?: 4 | 6 | undefined;
  /** Who hears of events from the first on; `Client.on` comes when the login is over. */
  readonly on?: { readonly [K in keyof ClientEvents]?: (detail: ClientEvents[K]) => void } | undefined;
  /** Commands after each login, such as `SITE UMASK 022`. A refusal fails the login. */
  readonly commands?: readonly string[] | undefined;
};

export type EntryType = "file" | "directory" | "link" | "other";

export type EntryTime = {
  /** Since 1970, UTC. */
  readonly ms: number;
  readonly precision: "second" | "minute" | "day";
  /** "utc": the server says so (MLSD, MDTM). "assumed": a LIST, whose zone was worked out or taken for UTC. */
  readonly zone: "utc" | "assumed";
};

export type Entry = {
  /** The last part of `path`, in the character set of the connection. */
  readonly name: string;
  /** From the server's root. */
  readonly path: string;
  readonly type: EntryType;
  /** Octets; absent for folders and where the server does not say, or says it in something coarser. */
  readonly size?: number | undefined;
  /** About how many octets, where `size` is not known: of servers that count in blocks (VMS) or round. For people. */
  readonly roughSize?: number | undefined;
  readonly modified?: EntryTime | undefined;
  /** Unix permission bits. */
  readonly mode?: number | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Of a link: what it points to, as the server says it. */
  readonly target?: string | undefined;
  /** Octets of the name as they stood in the listing. */
  readonly raw: ByteString;
};

/** Entries as they come, or all of them. */
export interface Listing extends AsyncIterable<Entry> {
  toArray(): Promise<Entry[]>;
  /** Lines that no known format fits, as far as the listing has been read; at most `WARNINGS_MOST`. */
  readonly warnings: readonly string[];
}

export type ListOptions = CallOptions & {
  /** Names that begin with a dot, too, at servers that leave them out of LIST. MLSD has them always. Default false. */
  readonly hidden?: boolean | undefined;
  /** A path of a file gives that file alone; default false: it is NOT_FOUND, as what is asked for is a folder. */
  readonly orFile?: boolean | undefined;
};

export type WalkOptions = ListOptions & {
  /** Levels below the folder. Default `WALK_DEPTH`. */
  readonly depth?: number | undefined;
  /** Whether to go into a folder. */
  readonly enter?: ((entry: Entry) => boolean) | undefined;
  /** Folders that are read at the same time. Default: as many as there are connections. */
  readonly parallel?: number | undefined;
};

export type Progress = {
  /** Octets of this call so far, what was there before left out. */
  readonly bytes: number;
  /** Octets that were there before: where it resumed. */
  readonly resumedAt: number;
  /** Octets in all, where it is known. */
  readonly total?: number | undefined;
  /** Of a download in segments: those under way, as positions in the file; `at` is the next octet to come. */
  readonly segments?: readonly { readonly start: number; readonly at: number; readonly end: number }[] | undefined;
};

/** A path of the host, or a stream. */
export type Sink = string | URL | Writable | WritableStream<Uint8Array>;
/** A file that the caller has opened (a `FileHandle`, say): it is read from its beginning, and stays open. */
export type OpenFile = { readonly fd: number };
/** A path of the host, an open file, octets, or a stream. */
export type Source =
  | string
  | URL
  | OpenFile
  | Uint8Array
  | Blob
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

export type TransferOptions = CallOptions & {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Octets per second. */
  readonly rate?: number | undefined;
  /** TYPE A: line ends are those of the host. Default "binary". */
  readonly type?: "binary" | "ascii" | undefined;
  /** What must agree afterwards: "size" (default), "hash" (size where the server has no digests), false. */
  readonly verify?: "size" | "hash" | false | undefined;
  /**
   * Goes on where an earlier try of the same file ended. Default true for retries inside a call (uploads: from `GO_ON_LEAST`
   * octets on, not of streams, not as text), false for what lies there, of which `mode` speaks for uploads.
   */
  readonly resume?: boolean | undefined;
  readonly retry?: RetryOptions | undefined;
};

export type DownloadOptions = TransferOptions & {
  /** What a listing has told of the file: its size and time are not asked again. */
  readonly entry?: Pick<Entry, "size" | "modified"> | undefined;
  /** First octet, and the one after the last. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** Of a path that is there already. Default "overwrite". */
  readonly exists?: "overwrite" | "skip" | "newer" | "error" | undefined;
  /** Sets the file's time to that of the server. "exact": the server is asked where `entry` does not know the second. Default true for a path. */
  readonly keepTime?: boolean | "exact" | undefined;
  /** Of a path that is a symbolic link: "follow" (default) writes to what it leads to; "replace" puts the file in its place. */
  readonly links?: "follow" | "replace" | undefined;
  /** Writes to a hidden name beside it and renames at the end. Default true. */
  readonly atomic?: boolean | undefined;
  /**
   * A failed or aborted call leaves what it has, from `PART_KEPT_LEAST` octets on, for a later one with `resume`. Default:
   * as `resume`.
   */
  readonly keepPart?: boolean | undefined;
  /** Hears what a call that fails has left: the hidden file, and how many octets of the whole are in it. */
  readonly onPart?: ((part: { readonly path: string; readonly bytes: number }) => void) | undefined;
  /**
   * To a path: connections at the same time, each for a part of the file; "auto" as many as make it faster. What an earlier
   * call has left is gone on with unless `resume` is false. Default 1.
   */
  readonly segments?: number | "auto" | undefined;
};

export type UploadOptions = TransferOptions & {
  /** "append" APPE; "resume" from the size that is there; "exclusive" fails if there is something. Default "replace". */
  readonly mode?: "replace" | "append" | "resume" | "exclusive" | undefined;
  /**
   * Sets the time of the server's file to that of ours (MFMT, MDTM, SITE UTIME). "known": only by a command that has done
   * it at this server before, with the transfer and without a word where it fails. Default true for a path.
   */
  readonly keepTime?: boolean | "known" | undefined;
  /** Writes to `.NAME.part` beside it, renames at the end, and resumes there. Needs the right to rename. Default false. */
  readonly atomic?: boolean | undefined;
  /** Octets, of a stream where it is known. */
  readonly size?: number | undefined;
};

/** What a transfer did. */
export type Transferred = {
  readonly bytes: number;
  readonly ms: number;
  /** Where it resumed; 0: from the start. */
  readonly resumedAt: number;
  /** What was compared afterwards and agreed. */
  readonly verified: "size" | "hash" | false;
  /** The data mode that carried it; absent when nothing had to be moved. */
  readonly mode?: DataMode | undefined;
  readonly isPrivate: boolean;
  readonly reply?: FtpReply | undefined;
  /** Of an upload: the server's file has got its time. */
  readonly timeKept?: boolean | undefined;
  /** `exists` said that nothing was to be done. */
  readonly leftAlone?: boolean | undefined;
};

export type CopyOptions = CallOptions & {
  /** Straight from server to server (FXP): "auto" where both allow it, "require" or not at all, "never". Default "auto". */
  readonly fxp?: "auto" | "require" | "never" | undefined;
  /** Milliseconds for the two servers to come together, each way round. Default `FXP_WAIT_MS`. */
  readonly fxpWaitMs?: number | undefined;
  /** What must agree afterwards: "size" (default), "hash" (size where the servers have no digest in common), false. */
  readonly verify?: "size" | "hash" | false | undefined;
  /** Of a copy that goes straight it is seen only where the target shows a file that is being written. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Sets the time of the copy to that of the file. Default true. */
  readonly keepTime?: boolean | undefined;
  /** As of uploads. Default false. */
  readonly atomic?: boolean | undefined;
  /** Octets per second, of what goes through us. */
  readonly rate?: number | undefined;
  readonly retry?: RetryOptions | undefined;
};

/** What a copy between servers did. */
export type Copied = Transferred & {
  /** "fxp": straight from server to server; "relay": through us. */
  readonly way: "fxp" | "relay";
  /** Why it did not go straight. */
  readonly why?: string | undefined;
};

export type HashResult = { readonly algorithm: DigestName; readonly hash: string };

export type ServerInfo = {
  readonly host: string;
  readonly port: number;
  /** The address in use. */
  readonly address: string;
  readonly greeting: string;
  /** The text of SYST (215), "" where there is none. */
  readonly system: string;
  /** FEAT: names in upper case with what stands behind them. */
  readonly features: ReadonlyMap<string, string>;
  readonly tls: { readonly version: string; readonly cipher: string; readonly fingerprint: string } | undefined;
  /** The folder after login. */
  readonly home: string;
  readonly user: string;
};

export type ClientEvents = {
  /** A line went out; passwords are masked. `id` tells control connections apart. */
  readonly command: { readonly id: number; readonly line: string };
  readonly reply: { readonly id: number; readonly reply: FtpReply };
  /** A data mode failed and another took over, TLS was not to be had, an address was mended …: worth one line to a person. */
  readonly fallback: { readonly id: number; readonly what: string };
  readonly retry: { readonly error: FtpError; readonly attempt: number; readonly waitMs: number };
  /** A certificate was believed for the first time. */
  readonly trust: { readonly host: string; readonly fingerprint: string };
};

/** One control connection: a folder, and any command. */
export interface Session {
  /** Sends one command and reads its replies to the last one. @throws {FtpError} for 4xx and 5xx. */
  send(verb: string, ...rest: string[]): Promise<FtpReply>;
  /** As `send`, but gives back every reply. */
  ask(verb: string, ...rest: string[]): Promise<FtpReply>;
  cd(path: string): Promise<void>;
  pwd(): Promise<string>;
  readonly info: ServerInfo;
}

/** A server, with as many control connections as the calls need. Paths are from the server's root, or the home without `/`. */
export interface Client extends AsyncDisposable {
  readonly info: ServerInfo;
  list(folder?: string, options?: ListOptions): Listing;
  /** All that is below a folder, folders before what is in them. */
  walk(folder?: string, options?: WalkOptions): AsyncIterable<Entry>;
  glob(pattern: string, options?: ListOptions): AsyncIterable<Entry>;
  stat(path: string, options?: CallOptions): Promise<Entry>;
  exists(path: string, options?: CallOptions): Promise<false | EntryType>;
  open(path: string, options?: CallOptions & { readonly start?: number; readonly end?: number }): Readable;
  /** Failures, the caller's abort among them, are told by "error" at once, also to who writes nothing just now. */
  create(path: string, options?: UploadOptions): Writable;
  /** @param options.most octets that may come; more is a LIMIT. Default `READ_MOST`. */
  read(path: string, options?: CallOptions & { readonly most?: number }): Promise<Buffer>;
  write(path: string, data: Source, options?: UploadOptions): Promise<Transferred>;
  append(path: string, data: Source, options?: UploadOptions): Promise<Transferred>;
  download(path: string, to: Sink, options?: DownloadOptions): Promise<Transferred>;
  upload(from: Source, path: string, options?: UploadOptions): Promise<Transferred>;
  /**
   * Copies a file to another server, or to another place of this one; what has failed leaves no half file there.
   * @throws {FtpError} UNSUPPORTED where `fxp` is "require" and the servers cannot.
   */
  copyTo(other: Client, from: string, to: string, options?: CopyOptions): Promise<Copied>;
  remove(path: string, options?: CallOptions): Promise<void>;
  rename(from: string, to: string, options?: CallOptions): Promise<void>;
  mkdir(path: string, options?: CallOptions & { readonly recursive?: boolean }): Promise<void>;
  /** An empty folder. */
  rmdir(path: string, options?: CallOptions): Promise<void>;
  /**
   * A folder with all that is in it; links are removed, not followed. @returns how many were removed.
   * @throws {FtpError} USAGE for a path with `.` or `..` in it, and for the top of the server.
   */
  removeTree(path: string, options?: CallOptions): Promise<number>;
  chmod(path: string, mode: number, options?: CallOptions): Promise<void>;
  /** MFMT, else MDTM with two arguments, else SITE UTIME. @returns the command that did it. */
  utime(path: string, modified: Date, options?: CallOptions): Promise<string>;
  /** @returns undefined where the server has no digests. */
  hash(
    path: string,
    options?: CallOptions & { readonly algorithm?: DigestName; readonly start?: number; readonly end?: number },
  ): Promise<HashResult | undefined>;
  /** Sends a command as it stands on any connection of the pool. */
  raw(line: string, options?: CallOptions): Promise<FtpReply>;
  session<T>(work: (session: Session) => Promise<T>, options?: CallOptions): Promise<T>;
  /** @returns what takes the listener away. */
  on<K extends keyof ClientEvents>(event: K, listener: (detail: ClientEvents[K]) => void): () => void;
  /** Says QUIT on every connection. */
  close(): Promise<void>;
}
