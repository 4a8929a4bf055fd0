/** A command's side of the control socket. */
import { createConnection } from "node:net";
import type { z } from "zod";
import { answerLine } from "./handlers.ts";
import { ANSWER_LIMIT, ANSWER_PATIENCE_MS } from "./limits.ts";
import { codeOf } from "./socket-path.ts";

/** `about` is what the request's handler takes; `schema` what its answer has to be. */
export type Question<Answer> = { readonly ask: string; readonly about: unknown; readonly schema: z.ZodType<Answer> };

export type AskKind =
  /** No socket there, or nobody listens. */
  | "absent"
  /** The socket is not for us. */
  | "forbidden"
  /** Other errors of the connection, or an answer that is none. */
  | "broken"
  /** The server said no; the message is its own. */
  | "refused";

export class AskError extends Error {
  override readonly name = "AskError";
  readonly kind: AskKind;

  constructor(kind: AskKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** @throws {AskError} */
export async function askServer<Answer>(path: string, { ask, about, schema }: Question<Answer>): Promise<Answer> {
  const parsed = answerLine.safeParse(valueOf(await exchange(path, `${JSON.stringify({ ask, about })}\n`)));
  if (!parsed.success) throw new AskError("broken", `${path}: the answer cannot be read; is this a Ferryman server?`);
  if (!parsed.data.ok) throw new AskError("refused", parsed.data.problem);
  const answer = schema.safeParse(parsed.data.answer);
  if (answer.success) return answer.data;
  throw new AskError(
    "broken",
    `${path}: the answer has another form; the server may be older or newer than this command`,
  );
}

async function exchange(path: string, request: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const chunks: Buffer[] = [];
    let octets = 0;
    const give = (kind: AskKind, message: string): void => {
      socket.destroy();
      reject(new AskError(kind, `${path}: ${message}`));
    };
    const timer = setTimeout(() => give("broken", "no answer; is the server stopped?"), ANSWER_PATIENCE_MS);
    socket.once("close", () => clearTimeout(timer));
    socket.on("error", (error) => give(kindOf(codeOf(error)), codeOf(error)));
    socket.on("data", (chunk: Buffer) => {
      octets += chunk.length;
      if (octets > ANSWER_LIMIT + 1) give("broken", "the answer is too long");
      else chunks.push(chunk);
    });
    socket.once("end", () => {
      socket.destroy();
      if (octets > 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else give("forbidden", "the server closed the connection without an answer");
    });
    socket.write(request);
  });
}

function kindOf(code: string): AskKind {
  if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTDIR") return "absent";
  return code === "EACCES" || code === "EPERM" ? "forbidden" : "broken";
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
