/** What a program says to `fetchTree` and hears from it; the same for FTP and HTTP. */
import type { FtpError } from "../errors.ts";
import type { CallOptions, ConnectOptions, RetryOptions } from "../types.ts";

export type FetchOptions = CallOptions & {
  /** Levels below the first folder or page; 0: that alone. Default: `PAGE_DEPTH` for pages, `WALK_DEPTH` for folders. */
  readonly depth?: number | undefined;
  /** At the same time. Default `FETCH_PARALLEL`. */
  readonly parallel?: number | undefined;
  /** A folder named after the host. Default true (wget's -nH: false). */
  readonly hostFolder?: boolean | undefined;
  /** So many folders of the path are left out. Default 0. */
  readonly cutFolders?: number | undefined;
  /** Goes to what is above the first folder, too; only pages lead there. Default false (wget's -np: false, too). */
  readonly parents?: boolean | undefined;
  /**
   * Names that are fetched, and that are not: patterns with `*`, `?`, `[…]`, `{…}`, or without any of these the end of a
   * name. Pages are read for their links in any case, and then not kept.
   */
  readonly accept?: readonly string[] | undefined;
  readonly reject?: readonly string[] | undefined;
  /** Folders that are gone into, and that are not, with what is below them; from the root, or from the first folder. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** Of all patterns. Default false. */
  readonly ignoreCase?: boolean | undefined;
  /**
   * Of a file that is here: "overwrite" (default); "newer": only if that of the server is newer or of another size;
   * "skip": never.
   */
  readonly exists?: "overwrite" | "newer" | "skip" | undefined;
  /** Goes on with what an earlier run has left unfinished, and leaves it for the next. Default false. */
  readonly resume?: boolean | undefined;
  /** Octets per second of all together. */
  readonly rate?: number | undefined;
  /** Octets of all files, after which nothing more is begun. Default: no such limit. */
  readonly quota?: number | undefined;
  /** Documents, or files and folders. Default `DOCUMENTS_MOST` for HTTP, none for FTP. */
  readonly most?: number | undefined;
  /**
   * Symbolic links of FTP: "keep" (default) makes them here where they stay inside the tree, and follows those whose target
   * the server does not tell; "follow" fetches what they lead to; "skip".
   */
  readonly links?: "keep" | "follow" | "skip" | undefined;
  /** Other hosts that links may lead to: true for all, or domains with what is below them. Default: none. */
  readonly spanHosts?: boolean | readonly string[] | undefined;
  /** Obeys robots.txt and `<meta name="robots">`. Default true. */
  readonly robots?: boolean | undefined;
  /** Further headers of HTTP requests, for the first host alone. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sets the files' times to those of the server. Default true. */
  readonly keepTime?: boolean | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Milliseconds for an answer to begin. Default `REPLY_WAIT_MS`. */
  readonly replyMs?: number | undefined;
  /** Milliseconds without an octet. Default `STALL_MS`. */
  readonly stallMs?: number | undefined;
  /** For FTP: all that `connect` takes. */
  readonly connect?: ConnectOptions | undefined;
  readonly onEvent?: ((event: FetchEvent) => void) | undefined;
};

/** Why a name was left out on purpose. */
export type LeftOutReason =
  /** `accept` and `reject`, `include` and `exclude`. */
  | "rejected"
  | "robots"
  /** It is here, and as new as that of the server. */
  | "same"
  /** It is here. */
  | "exists"
  | "depth"
  /** Another host, or above the first folder, after a redirect. */
  | "elsewhere"
  | "link"
  /** Neither file, folder nor link. */
  | "special";

/** `path` is that on our disk, below the target folder. */
export type FetchEvent =
  | {
      readonly kind: "start";
      readonly url: string;
      readonly path: string;
      readonly size: number | undefined;
      readonly resumedAt: number;
    }
  /** `bytes` are those that are here, an earlier try's included. */
  | {
      readonly kind: "progress";
      readonly url: string;
      readonly path: string;
      readonly bytes: number;
      readonly total: number | undefined;
    }
  | { readonly kind: "done"; readonly url: string; readonly path: string; readonly bytes: number; readonly ms: number }
  /** What a file that failed has left for a later run with `resume`; `path` is that of the hidden part. */
  | { readonly kind: "part"; readonly url: string; readonly path: string; readonly bytes: number }
  | { readonly kind: "linked"; readonly url: string; readonly path: string }
  /** A folder or page has been read, and so much was found in it. */
  | { readonly kind: "read"; readonly url: string; readonly found: number }
  | { readonly kind: "left-out"; readonly url: string; readonly why: LeftOutReason }
  | {
      readonly kind: "retry";
      readonly url: string;
      readonly error: FtpError;
      readonly attempt: number;
      readonly waitMs: number;
    }
  | { readonly kind: "failed"; readonly url: string; readonly error: FtpError }
  | { readonly kind: "warning"; readonly text: string };

export type FetchFailure = { readonly url: string; readonly error: FtpError };

export type FetchReport = {
  /** Files that were fetched whole. */
  readonly files: number;
  /** Links that were made here. */
  readonly linked: number;
  /** On purpose; `leftOutBy` says why. */
  readonly leftOut: number;
  readonly leftOutBy: Readonly<Partial<Record<LeftOutReason, number>>>;
  /** Octets that moved. */
  readonly octets: number;
  readonly ms: number;
  /** At most `FAILURES_KEPT`; `failures` counts all. */
  readonly failed: readonly FetchFailure[];
  readonly failures: number;
  readonly warnings: readonly string[];
  /** What ended the job before its end: a full disk, the quota, too many documents. */
  readonly stopped: FtpError | undefined;
};
