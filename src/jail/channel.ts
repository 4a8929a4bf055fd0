/**
 * The closed channel between broker and workers: what may be asked and told is a table of schemas, and every message
 * of either side is one of the frames below. Nothing in a message of a worker is believed.
 */
import type { SendHandle } from "node:child_process";
import { z } from "zod";
import { NOTES_AT_ONCE } from "./limits.ts";

/** Schemas must be synchronous. Bound every text and list in them: only the octets of a whole message are limited. */
export type RequestTable = Readonly<Record<string, { readonly ask: z.ZodType; readonly answer: z.ZodType }>>;
export type NoticeTable = Readonly<Record<string, z.ZodType>>;

/** All that workers may ask. */
export function defineRequests<const Table extends RequestTable>(table: Table): Table {
  return table;
}

/** All that the broker tells workers without being asked. */
export function defineNotices<const Table extends NoticeTable>(table: Table): Table {
  return table;
}

/** A socket or server that goes along with an answer or a notice, or the bare handle of a connection. */
export type Handle = NonNullable<SendHandle> | { close(): void };

/** An answer that a socket goes along with. */
export class WithHandle<Answer> {
  readonly answer: Answer;
  readonly handle: Handle;

  constructor(answer: Answer, handle: Handle) {
    this.answer = answer;
    this.handle = handle;
  }
}

/** Why a request has no answer; "refused" is the handler's own no. */
export type RefusalCode = z.output<typeof refusalCode>;
const refusalCode = z.enum(["unknown", "malformed", "busy", "timeout", "refused", "failed", "gone"]);

/** Thrown by a handler, its text reaches the worker; thrown by `ask`, it says why there is no answer. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, text: string) {
    super(text);
    this.code = code;
  }
}

/** Characters of a request's name: ours are words. */
const NAME_LIMIT = 64;
/** Characters of a refusal's text: one or two sentences. */
const TEXT_LIMIT = 500;

const id = z.int().min(1);
const name = z.string().max(NAME_LIMIT);

/** A request whose answer nobody waits for. */
export type Note = z.output<typeof note>;
const note = z.strictObject({ t: z.literal("note"), name, payload: z.unknown() });

export type FromWorker = z.output<typeof FROM_WORKER>;
export const FROM_WORKER = z.discriminatedUnion("t", [
  z.strictObject({ t: z.literal("ask"), id, name, payload: z.unknown() }),
  note,
  // Several of one turn: a message costs more than what it says.
  z.strictObject({ t: z.literal("notes"), notes: z.array(note).max(NOTES_AT_ONCE) }),
  z.strictObject({ t: z.literal("ready") }),
  z.strictObject({ t: z.literal("pong"), id }),
]);

export type ToWorker = z.output<typeof TO_WORKER>;
export const TO_WORKER = z.discriminatedUnion("t", [
  z.strictObject({ t: z.literal("answer"), id, payload: z.unknown() }),
  z.strictObject({ t: z.literal("refusal"), id, code: refusalCode, text: z.string().max(TEXT_LIMIT) }),
  z.strictObject({ t: z.literal("tell"), name, payload: z.unknown() }),
  z.strictObject({ t: z.literal("ping"), id }),
  z.strictObject({ t: z.literal("drain") }),
]);

export function refusal(number: number, code: RefusalCode, text: string): ToWorker {
  return { t: "refusal", id: number, code, text: text.slice(0, TEXT_LIMIT) };
}

/** A socket that nobody took is closed, else its connection would hang for ever. */
export function closeHandle(handle: unknown): void {
  if (typeof handle !== "object" || handle === null) return;
  if ("destroy" in handle && typeof handle.destroy === "function") handle.destroy();
  else if ("close" in handle && typeof handle.close === "function") handle.close();
}
