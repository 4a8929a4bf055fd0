/** The hash of an account that comes from elsewhere, from standard input: never from argv, which others can read. */
import { hashProblem } from "../account/hash-forms.ts";
import { CliError, EXIT } from "./exit.ts";

/** Octets; a line of /etc/shadow with the longest hash that is taken has a tenth. */
const INPUT_LIMIT = 4_096;

/**
 * Reads a hash, or a line of shadow(5) or of another server's list of users, whose first two fields are name and hash.
 * @throws {CliError} that says what to do; the hash is in none of the texts.
 */
export async function importedHash(name: string, stdin: AsyncIterable<Buffer>): Promise<string> {
  const text = await inputOf(stdin);
  if (text === "") throw new CliError("there is no hash on standard input; nothing was changed", EXIT.usage);
  if (text.includes("\n")) throw new CliError("one hash, or one line with NAME:HASH, is expected", EXIT.usage);
  const fields = text.split(":");
  const [first = "", second = ""] = fields;
  if (fields.length > 1 && first !== name) {
    throw new CliError(`the line on standard input is of another name than ${name}`, EXIT.usage);
  }
  const hash = fields.length > 1 ? second : first;
  const problem = hashProblem(hash);
  if (problem !== undefined) throw new CliError(`the hash of ${name}: ${problem}`, EXIT.usage);
  return hash;
}

async function inputOf(stdin: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    octets += chunk.length;
    if (octets > INPUT_LIMIT) throw new CliError(`more than ${INPUT_LIMIT} octets are no hash`, EXIT.usage);
  }
  return Buffer.concat(chunks).toString("utf8").trim();
}
