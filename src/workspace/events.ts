/** Everything that happens, as values: `type` says what, `at` when. Sinks, who, and later bans, hooks and metrics read these. */
import type { ByteString } from "../base/bytes.ts";
import type { VirtualPath } from "../protocol/path.ts";

/** What every event of a session carries. */
export type SessionFacts = {
  /** Unique in this process; short enough for a log line. */
  readonly session: string;
  /** The client's address and port. */
  readonly peer: { readonly address: string; readonly port: number };
  /** The account, once there is one; before that undefined. */
  readonly account?: string;
};

export type Transferred = {
  readonly direction: "download" | "upload" | "listing";
  readonly path: VirtualPath;
  readonly octets: number;
  readonly milliseconds: number;
  /** Octets skipped by REST. */
  readonly offset: number;
  /** RFC 959 §3.1.1. */
  readonly representation: "ascii" | "image";
  readonly anonymous: boolean;
  readonly outcome: "complete" | "failed" | "aborted";
  /** For our log: why it failed. */
  readonly reason?: string;
};

type Happening =
  | { readonly type: "server.listening"; readonly address: string; readonly port: number }
  | { readonly type: "server.closed" }
  /** A bug or a fault of the host: `detail` has the stack. */
  | { readonly type: "server.fault"; readonly detail: string; readonly session?: string }
  | ({ readonly type: "session.opened" } & SessionFacts)
  | ({ readonly type: "session.closed"; readonly reason: string; readonly commands: number } & SessionFacts)
  | ({ readonly type: "session.refused"; readonly reason: string } & SessionFacts)
  /** TLS stands on the control connection; `user` is whom a client certificate names. */
  | ({
      readonly type: "session.secured";
      readonly protocol: string;
      readonly cipher: string;
      readonly user?: string;
    } & SessionFacts)
  /** A handshake on the control connection that failed. */
  | ({ readonly type: "tls.failed"; readonly reason: string } & SessionFacts)
  /** The first data connection of a session that resumed no TLS session, let in because the policy only prefers it. */
  | ({ readonly type: "data.unbound" } & SessionFacts)
  /** Arguments of PASS and ACCT are never in it. */
  | ({
      readonly type: "command";
      readonly verb: string;
      readonly argument: ByteString;
      readonly code: number;
    } & SessionFacts)
  | ({ readonly type: "login.accepted" } & SessionFacts)
  | ({ readonly type: "login.failed"; readonly name: ByteString; readonly reason: string } & SessionFacts)
  /** A right was missing or a policy spoke; `rule` is the id that the client was told too. */
  | ({
      readonly type: "refused";
      readonly rule: string;
      readonly verb: string;
      readonly path?: VirtualPath;
    } & SessionFacts)
  | ({ readonly type: "transfer" } & Transferred & SessionFacts)
  | ({ readonly type: "file.changed"; readonly change: FileChange } & SessionFacts)
  | { readonly type: "ban"; readonly target: string; readonly reason: string; readonly until?: number }
  | { readonly type: "ban.lifted"; readonly target: string; readonly why: string }
  /** A worker process has ended and is replaced. */
  | { readonly type: "worker.gone"; readonly worker: number; readonly reason: string }
  /** Something for the admin, once: a certificate that could not be read again, a file of bans that was damaged. */
  | { readonly type: "server.warning"; readonly text: string }
  /** A data connection that came from somewhere else, or did not come at all. */
  | ({
      readonly type: "data.refused";
      readonly from: string;
      readonly port: number;
      readonly reason: string;
    } & SessionFacts);

export type FileChange =
  | { readonly kind: "removed" | "folder-made" | "folder-removed" | "times-set"; readonly path: VirtualPath }
  | { readonly kind: "mode-set"; readonly path: VirtualPath; readonly mode: number }
  | { readonly kind: "renamed" | "copied"; readonly path: VirtualPath; readonly to: VirtualPath }
  | { readonly kind: "linked"; readonly path: VirtualPath; readonly target: ByteString };

/** `at` is milliseconds since 1970 UTC. */
export type FerrymanEvent = Happening & { readonly at: number };
