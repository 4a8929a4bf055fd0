/** Where a file that is fetched goes to on this machine, and why it cannot go there. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import { bytesOfText } from "../base/bytes.ts";
import { makeFolders } from "../base/make-folders.ts";
import { systemCode } from "../base/system-code.ts";
import { FtpError } from "../client/errors.ts";
import { localFault } from "../client/octets.ts";
import { unsafeName } from "../protocol/listings/unsafe-name.ts";

/** `output`: a name, or a folder that is there or ends in `/`. `outputFolder`: a folder, made if it is not there. */
export type TargetFlags = { readonly output?: string; readonly outputFolder?: string };

/** @throws {FtpError} UNSAFE_NAME for a last part that must not become a file here (attack 64), LOCAL_IO for no place. */
export async function targetOf(path: string, { output, outputFolder }: TargetFlags): Promise<string> {
  const name = path.split("/").at(-1) ?? "";
  if (output === undefined) {
    if (outputFolder !== undefined) await makeFolder(outputFolder);
    return await replaceable(join(outputFolder ?? ".", checked(name, path)));
  }
  if (output.endsWith("/")) await makeFolder(output);
  if (await isFolder(output)) return await replaceable(join(output, checked(name, path)));
  return await replaceable(output);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (error) {
    if (systemCode(error) === "EEXIST")
      throw noPlace(`${folder} is a file, and no folder`, "name another one, or take that file away");
    throw localFault(error, `cannot make the folder ${folder}`);
  }
}

/** What its owner may not write to he wants to keep; a file that comes in its place would not ask. */
async function replaceable(path: string): Promise<string> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EACCES" && (await isThere(path))) {
      throw noPlace(
        `${path} is there, and you may not write to it`,
        "it would be replaced after chmod u+w; -o names another",
      );
    }
  }
  return path;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function noPlace(message: string, hint: string): FtpError {
  return new FtpError("LOCAL_IO", message, { phase: "local", retryable: false, hint });
}

function checked(name: string, path: string): string {
  const problem = name === "" ? "it is a folder; mirror gets folders" : unsafeName(bytesOfText(name));
  if (problem === undefined) return name;
  throw new FtpError("UNSAFE_NAME", `cannot make a file of ${path}: ${problem}`, {
    phase: "local",
    hint: "-o chooses another name",
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
