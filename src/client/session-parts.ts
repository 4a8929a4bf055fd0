/** What a session is made of, and what goes with one of its commands. */
import type { DataPath } from "../net/data-path.ts";
import type { ControlLink } from "./control.ts";
import type { ModeTerms } from "./data-modes.ts";
import type { FtpPhase } from "./errors.ts";
import type { FtpSession } from "./session.ts";
import type { ClientTls } from "./tls.ts";
import type { ServerInfo } from "./types.ts";

export type SessionParts = {
  readonly link: ControlLink;
  readonly info: ServerInfo;
  readonly modes: Omit<ModeTerms, "externalAddress" | "path">;
  /** Which way octets go here. */
  readonly path: (use: { readonly isShort: boolean }) => DataPath;
  readonly tls: ClientTls | undefined;
  /** PROT P is in force. */
  readonly isPrivate: boolean;
  readonly stallMs: number;
  /** Our address as the server sees it, from words of its own; undefined: not known. */
  readonly externalAddress: (session: FtpSession) => Promise<string | undefined>;
};

export type AskOptions = {
  /** The caller's own words. */
  readonly isForeign?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly phase?: FtpPhase | undefined;
  readonly ms?: number | undefined;
};

/** Commands after which a session is as before; what others leave in force (REST, RNFR, PROT, OPTS …) must not meet another call. */
export const HARMLESS =
  /^(?:noop|stat|help|feat|syst|pwd|xpwd|size|mdtm|mlst|dele|mkd|xmkd|rmd|xrmd|mfmt|mfct|mff|hash|xcrc|xmd5|xsha\w*|avbl|dsiz|site)\b/i;
