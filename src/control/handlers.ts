/**
 * What a running server can be asked: a closed table. A request is one line of JSON, `{"ask": NAME, "about": {…}}`; its
 * answer is one line, `{"ok": true, "answer": …}` or `{"ok": false, "problem": TEXT}`.
 */
import { z } from "zod";

/** Expected, and told to the client; whatever else is thrown is not. */
export class ControlProblem extends Error {
  override readonly name = "ControlProblem";
}

/** One request with its check; what it is about is unknown to the table. */
export type Handler = (about: unknown) => Promise<unknown>;
/** By name: `ban.list`. */
export type Handlers = Readonly<Record<string, Handler>>;

/** @param run may throw a ControlProblem with text for the client. */
export function handler<About>(schema: z.ZodType<About>, run: (about: About) => unknown): Handler {
  return async (about) => {
    const parsed = schema.safeParse(about);
    if (!parsed.success) throw new ControlProblem(`wrong request: ${z.prettifyError(parsed.error)}`);
    return await run(parsed.data);
  };
}

const requestLine = z.strictObject({ ask: z.string().max(64), about: z.unknown() });
export const answerLine = z.union([
  z.object({ ok: z.literal(true), answer: z.unknown() }),
  z.object({ ok: z.literal(false), problem: z.string() }),
]);
export type AnswerLine = z.infer<typeof answerLine>;

/** @param onFault told what a handler threw that it should not have. */
export async function answerTo(
  line: string,
  { handlers, onFault }: { readonly handlers: Handlers; readonly onFault: (fault: unknown) => void },
): Promise<AnswerLine> {
  try {
    const request = requestLine.safeParse(valueOf(line));
    if (!request.success) return { ok: false, problem: 'a request is one line of JSON: {"ask": NAME, "about": {…}}' };
    const { ask, about } = request.data;
    const asked = Object.hasOwn(handlers, ask) ? handlers[ask] : undefined;
    if (asked === undefined) {
      return { ok: false, problem: `this server does not know "${ask}"; it may be older or newer than this command` };
    }
    return { ok: true, answer: (await asked(about)) ?? null };
  } catch (error) {
    if (error instanceof ControlProblem) return { ok: false, problem: error.message };
    onFault(error);
    return { ok: false, problem: "the server failed at this; its log says why" };
  }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
