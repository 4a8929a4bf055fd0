/**
 * The events that a worker may tell of, member by member: logs and `who` show and count them as they are, so nothing
 * odd must come so far. Others, such as those of bans, of who came and of the server itself, are the broker's alone.
 */
import { z } from "zod";
import type { ByteString } from "../base/bytes.ts";
import type { VirtualPath } from "../protocol/path.ts";
import type { FerrymanEvent } from "../workspace/events.ts";

/** Characters of the longest member: a path of 4 KiB, an argument as long as a line, or a stack. */
const LONGEST_TEXT = 8_192;
/** Characters of the shorter ones: ids, verbs, rules, names of protocols. */
const LONGEST_WORD = 256;
/** Characters of an address with its zone. */
const LONGEST_ADDRESS = 64;
/** Milliseconds since 1970 that a date can have (ECMA-262 §21.4.1.1). */
const LAST_TIME = 8.64e15;

const text = z.string().max(LONGEST_TEXT);
const word = z.string().max(LONGEST_WORD);
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const port = z.int().min(0).max(65_535);
const address = z.string().max(LONGEST_ADDRESS);
const at = z.number().min(-LAST_TIME).max(LAST_TIME);
const octets = z.custom<ByteString>(isOctets);
const path = z.custom<VirtualPath>(isOctets);

function isOctets(value: unknown): boolean {
  // oxlint-disable-next-line no-control-regex -- every octet is allowed
  return typeof value === "string" && value.length <= LONGEST_TEXT && /^[\0-\xff]*$/.test(value);
}

const facts = { session: word, peer: z.strictObject({ address, port }), account: text.exactOptional(), at };
const change = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(["removed", "folder-made", "folder-removed", "times-set"]), path }),
  z.strictObject({ kind: z.literal("mode-set"), path, mode: z.int().min(0) }),
  z.strictObject({ kind: z.enum(["renamed", "copied"]), path, to: path }),
  z.strictObject({ kind: z.literal("linked"), path, target: octets }),
]);

export type WorkerEvent = z.output<typeof WORKER_EVENT>;
export const WORKER_EVENT = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("server.fault"), detail: text, session: word.exactOptional(), at }),
  z.strictObject({ type: z.literal("session.closed"), reason: text, commands: count, ...facts }),
  z.strictObject({
    type: z.literal("session.secured"),
    protocol: word,
    cipher: word,
    user: text.exactOptional(),
    ...facts,
  }),
  z.strictObject({ type: z.literal("tls.failed"), reason: text, ...facts }),
  z.strictObject({ type: z.literal("data.unbound"), ...facts }),
  z.strictObject({ type: z.literal("command"), verb: text, argument: octets, code: z.int(), ...facts }),
  z.strictObject({ type: z.literal("login.accepted"), ...facts }),
  z.strictObject({ type: z.literal("login.failed"), name: octets, reason: text, ...facts }),
  z.strictObject({ type: z.literal("refused"), rule: text, verb: text, path: path.exactOptional(), ...facts }),
  z.strictObject({
    type: z.literal("transfer"),
    direction: z.enum(["download", "upload", "listing"]),
    path,
    octets: count,
    milliseconds: count,
    offset: count,
    representation: z.enum(["ascii", "image"]),
    anonymous: z.boolean(),
    outcome: z.enum(["complete", "failed", "aborted"]),
    reason: text.exactOptional(),
    ...facts,
  }),
  z.strictObject({ type: z.literal("file.changed"), change, ...facts }),
  z.strictObject({ type: z.literal("data.refused"), from: address, port, reason: text, ...facts }),
]);

/** What a worker can send of an event: texts that are too long are cut, what the broker would not take is undefined. */
export function sendable(event: FerrymanEvent): WorkerEvent | undefined {
  const members = Object.entries(event).filter(([, value]) => value !== undefined);
  const cut = members.map(([key, value]) => [key, typeof value === "string" ? value.slice(0, LONGEST_TEXT) : value]);
  const checked = WORKER_EVENT.safeParse(Object.fromEntries(cut));
  return checked.success ? checked.data : undefined;
}
