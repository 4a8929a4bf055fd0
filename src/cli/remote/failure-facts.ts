/** A failure for programs: the same members in every event of `--json` (docs/client.md has them in a table). */
import type { FtpError } from "../../client/errors.ts";

export type FailureFacts = {
  readonly code: string;
  readonly phase: string;
  readonly retryable: boolean;
  readonly replyCode: number | null;
  readonly replyText: string | null;
  readonly message: string;
  readonly hint: string | null;
};

export function failureFacts({ code, phase, retryable, reply, message, hint }: FtpError): FailureFacts {
  return {
    code,
    phase,
    retryable,
    replyCode: reply?.code ?? null,
    replyText: reply?.lines.join("\n") ?? null,
    message,
    hint: hint ?? null,
  };
}
