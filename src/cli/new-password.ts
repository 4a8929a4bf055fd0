/** A new password for an account: from standard input for programs, asked for twice on a terminal. Never from argv. */
import { PASSWORD_LIMIT } from "../account/passwords.ts";
import { type ByteString, bytesOf, bytesOfText } from "../base/bytes.ts";
import { CliError, EXIT } from "./exit.ts";
import { type Keyboard, askSecret } from "./password-prompt.ts";

export type PasswordSource = {
  readonly stdin: AsyncIterable<Buffer> & Keyboard & { readonly isTTY?: boolean };
  /** Where questions are shown. */
  readonly stderr: NodeJS.WritableStream;
};

/** @throws {CliError} that says what to do; the password is in none of the texts. */
export async function newPassword(
  name: string,
  { stdin, stderr }: PasswordSource,
  { fromStdin }: { readonly fromStdin: boolean },
): Promise<ByteString> {
  if (fromStdin) return await fromInput(stdin);
  if (stdin.isTTY !== true) {
    throw new CliError("there is no terminal to ask for the password; give it with --password-stdin", EXIT.usage);
  }
  const terminal = { keyboard: stdin, screen: stderr };
  const password = await askSecret(`Password for ${name}: `, terminal);
  const checked = check(bytesOfText(password));
  if ((await askSecret("The same again: ", terminal)) === password) return checked;
  throw new CliError("the two passwords differ; nothing was changed", EXIT.failed);
}

async function fromInput(stdin: AsyncIterable<Buffer>): Promise<ByteString> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    octets += chunk.length;
    // A line end may follow the longest password.
    if (octets > PASSWORD_LIMIT + 2) break;
  }
  const input = bytesOf(Buffer.concat(chunks));
  return check(bytesOf(Buffer.from(input.replace(/\r?\n$/, ""), "latin1")));
}

function check(password: ByteString): ByteString {
  if (password === "") throw new CliError("the password is empty; nothing was changed", EXIT.usage);
  if (password.length > PASSWORD_LIMIT) {
    throw new CliError(`the password is longer than ${PASSWORD_LIMIT} octets`, EXIT.usage);
  }
  // Neither can be sent in a PASS line (RFC 959 §5.3.2).
  if (/[\r\n\0]/.test(password))
    throw new CliError("the password holds a line end or NUL; no client can send it", EXIT.usage);
  return password;
}
