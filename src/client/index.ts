/** `ferryman/client`: what programs import. */
export { connect } from "./client.ts";
export {
  type DataAttempt,
  type DataMode,
  FtpError,
  type FtpConnection,
  type FtpErrorCode,
  type FtpPhase,
  type FtpReply,
} from "./errors.ts";
export { mirror } from "./mirror/mirror.ts";
export type { FilterRule, FilterSpec } from "./mirror/filter.ts";
export type { Mirror, MirrorEvent, MirrorSpec, Plan, Report, RunOptions, Step } from "./mirror/types.ts";
export type * from "./types.ts";
