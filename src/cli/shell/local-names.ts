/** Names of the server, as text, that become files here: what may not is refused (attack 64). */
import { bytesOfText } from "../../base/bytes.ts";
import { FtpError, printable } from "../../client/errors.ts";
import { unsafeName } from "../../protocol/listings/unsafe-name.ts";

/** @returns why `name` cannot be one of a file here; undefined: it can. */
export function nameProblem(name: string, platform: NodeJS.Platform = process.platform): string | undefined {
  return unsafeName(bytesOfText(name), { windows: platform === "win32" });
}

/** @throws {FtpError} UNSAFE_NAME. */
export function checkedName(name: string): string {
  const problem = nameProblem(name);
  if (problem === undefined) return name;
  throw new FtpError("UNSAFE_NAME", `the server's name "${printable(name)}" cannot be used here: ${problem}`, {
    phase: "local",
    hint: "name the file yourself: get NAME -o LOCAL",
  });
}
