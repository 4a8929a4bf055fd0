/** CWD and CDUP: the same change of folder, with the folder's `.message` where there is one (features.md A8). */
import type { Right } from "../account/account.ts";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { type VirtualPath, childPath } from "../protocol/path.ts";
import type { Context } from "./context.ts";
import type { SignedIn } from "./session.ts";

/** Octets of a `.message` that are shown; a screenful. */
const MESSAGE_LIMIT = 4_096;

/** Whoever has one of these could have put the message there. */
const CHANGING: readonly Right[] = ["write", "overwrite", "append", "rename"];

type Change = { readonly path: VirtualPath; readonly context: Context };

/** @throws what the workspace throws: the folder must be there, and something may be done in it. */
export async function changeFolder(
  session: SignedIn,
  { path, context }: Change,
): Promise<{ lines: [string, ...string[]]; session: SignedIn }> {
  await session.workspace.enter(path);
  const message = context.settings.messageFiles ? await readMessage(session, path) : [];
  const [first, ...rest] = [...message, "Directory changed."];
  return { lines: [first ?? "", ...rest], session: { ...session, cwd: path } };
}

/** Only of a file that this session could not have written or replaced itself (attack 60). */
async function readMessage({ workspace }: SignedIn, folder: VirtualPath): Promise<string[]> {
  const path = childPath(folder, bytesOfText(".message"));
  const rights = workspace.rightsAt(path);
  if (!rights.has("read") || CHANGING.some((right) => rights.has(right))) return [];
  try {
    const buffer = Buffer.alloc(MESSAGE_LIMIT);
    const count = await workspace.peek(path, buffer);
    const text = bytesOf(buffer.subarray(0, count));
    return text.replace(/\r?\n$/, "").split(/\r?\n/);
  } catch {
    // No message is the usual case, and none that cannot be read is worth a refused CWD.
    return [];
  }
}
