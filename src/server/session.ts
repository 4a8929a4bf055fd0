/** Where a control connection stands. One value, replaced and never patched, so no step lacks its data. */
import type { ByteString } from "../base/bytes.ts";
import type { DigestName } from "../protocol/digest.ts";
import type { FactName } from "../protocol/facts.ts";
import type { VirtualPath } from "../protocol/path.ts";
import type { Workspace } from "../workspace/workspace.ts";

/** How the connection is protected (RFC 4217). Absent: not at all. */
export type Security = {
  /** "cleared" after CCC: commands go in clear again, data stays as `prot` says. */
  readonly control: "private" | "cleared";
  /** PBSZ was said, so PROT may be. */
  readonly pbsz: boolean;
  readonly prot: "clear" | "private";
};

/** What a connection knows in every step. */
type Common = {
  readonly security?: Security;
  /** The virtual host that HOST chose (RFC 7151). */
  readonly host?: string;
  /** EPSV ALL was said: no other way of setting up data connections is served any more (RFC 2428 §4). */
  readonly epsvAll?: true;
};

/** First half of a pair; `dispatch` drops it after the next command. RFC 959 §4.1.3. */
export type Pending = {
  /** RNFR, for RNTO. */
  readonly rename?: VirtualPath;
  /** SITE CPFR, for SITE CPTO. */
  readonly copy?: VirtualPath;
  /** REST, for RETR, STOR and APPE, in octets. */
  readonly restart?: number;
  /** RANG, for RETR and HASH: the first octet and the one after the last. */
  readonly range?: { readonly start: number; readonly end: number };
};

export type Greeted = Common & { readonly step: "greeted" };
export type Named = Common & { readonly step: "named"; readonly user: ByteString };
export type SignedIn = Common & {
  readonly step: "signed-in";
  readonly workspace: Workspace;
  readonly cwd: VirtualPath;
  /** RFC 959 §3.1.1; TYPE L 8 is image. */
  readonly type: "ascii" | "image";
  /** RFC 959 §3.4; "deflate" is MODE Z. */
  readonly mode: "stream" | "deflate";
  /** Of MODE Z, 1 to 9, as OPTS chose it. */
  readonly deflateLevel: number;
  /** The facts that OPTS MLST chose. */
  readonly facts: ReadonlySet<FactName>;
  /** The algorithm that OPTS HASH chose. */
  readonly digest: DigestName;
  readonly pending?: Pending;
};
/** QUIT was answered, or the server gave up: nothing more is read. */
export type Closing = { readonly step: "closing" };
export type Session = Greeted | Named | SignedIn | Closing;

/** Whether commands, and so passwords, cannot be read on the way. */
export function isPrivate(session: Session): boolean {
  return session.step !== "closing" && session.security?.control === "private";
}

/** The parts that outlive a login (REIN) or a user change. */
export function commonOf(session: Session): Common {
  if (session.step === "closing") return {};
  return {
    ...(session.security === undefined ? {} : { security: session.security }),
    ...(session.host === undefined ? {} : { host: session.host }),
    ...(session.epsvAll === undefined ? {} : { epsvAll: true }),
  };
}
