/** Names of the server that become files here: what could leave the folder, or mean a device, is refused (attack 64). */
import { FtpError, printable } from "../../client/errors.ts";

/** Devices of Windows, also with an extension. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** @returns why `name` cannot be one of a file here; undefined: it can. */
export function nameProblem(name: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (name === "" || name === "." || name === "..") return "it is no name of a file";
  if (name.includes("/")) return 'it holds a "/"';
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  if (/[\0-\x1f\x7f]/.test(name)) return "it holds control characters";
  if (platform !== "win32") return undefined;
  if (/[\\:*?"<>|]/.test(name)) return "it holds characters that Windows does not allow in names";
  if (/[. ]$/.test(name)) return "Windows would cut off its end";
  return DEVICES.test(name) ? "it means a device" : undefined;
}

/** @throws {FtpError} UNSAFE_NAME. */
export function checkedName(name: string): string {
  const problem = nameProblem(name);
  if (problem === undefined) return name;
  throw new FtpError("UNSAFE_NAME", `The server's name "${printable(name)}" cannot be used here: ${problem}`, {
    phase: "local",
    hint: "name the file yourself: get NAME -o LOCAL",
  });
}
