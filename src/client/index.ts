/** `ferryman/client`: what programs import. */
export { connect } from "./client.ts";
export { type BatchFault, type BatchItem, isBatchFault, readBatch } from "./batch.ts";
export { describeProfile } from "./describe-profile.ts";
export { type DetectOptions, detect } from "./detect.ts";
export {
  type DataAttempt,
  type DataMode,
  FtpError,
  type FtpConnection,
  type FtpErrorCode,
  type FtpPhase,
  type FtpReply,
} from "./errors.ts";
export { fetchTree } from "./fetch-tree/fetch-tree.ts";
export type { FetchEvent, FetchOptions, FetchReport } from "./fetch-tree/types.ts";
export { mirror } from "./mirror/mirror.ts";
export type { FilterRule, FilterSpec } from "./mirror/filter.ts";
export type { Mirror, MirrorEvent, MirrorSpec, Plan, Report, RunOptions, Step } from "./mirror/types.ts";
export type { Profile } from "./profile.ts";
export { type SegmentedOptions, type SegmentSource, segmentedDownload } from "./segments/segmented.ts";
export type * from "./types.ts";
export { type WatchEvent, type WatchOptions, type WatchReport, watchAndUpload } from "./watch.ts";
