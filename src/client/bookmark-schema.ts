/** What `bookmarks.json` may hold, strictly: a slip of the hand in it is told about, not passed over. */
import { z } from "zod";
import { LISTING_KINDS } from "../protocol/listings/reader.ts";
import { DATA_MODES } from "./errors.ts";

const OPTIONS = z.strictObject({
  tls: z.enum(["off", "auto", "explicit", "implicit"]).optional(),
  trust: z.enum(["ca", "first-use", "any"]).optional(),
  modes: z.array(z.enum(DATA_MODES)).min(1).optional(),
  proxy: z.string().optional(),
  proxyStyle: z.enum(["user@host", "user@host:port", "site", "open", "user@proxyuser@host"]).optional(),
  charset: z.string().optional(),
  listing: z.enum(LISTING_KINDS).optional(),
  zoneMinutes: z.number().int().min(-1440).max(1440).optional(),
  connections: z.number().int().min(1).optional(),
  commands: z.array(z.string()).optional(),
  /** A program with arguments whose first line of output is the password. */
  passwordCommand: z.string().min(1).optional(),
  /** The folder of this machine that goes with it. */
  localFolder: z.string().optional(),
});
const BOOKMARK = z.strictObject({ url: z.string(), password: z.string().optional(), options: OPTIONS.optional() });
export const BOOKMARKS = z.record(z.string(), BOOKMARK);

/** What a bookmark may say beside its URL; the keys mean what they mean in `ConnectOptions`. */
export type BookmarkOptions = z.infer<typeof OPTIONS>;
export type BookmarkEntry = z.infer<typeof BOOKMARK>;
export type BookmarkTable = z.infer<typeof BOOKMARKS>;
