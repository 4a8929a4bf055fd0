/** Readers of arguments that several commands share. Each throws the 501 that says what was expected. */
import { joined } from "../protocol/octets.ts";
import type { ByteString } from "../base/bytes.ts";
import { NAME_LIMIT, PATH_LIMIT } from "../protocol/limits.ts";
import { type VirtualPath, pathParts, resolvePath } from "../protocol/path.ts";
import { Refusal } from "./errors.ts";
import type { SignedIn } from "./session.ts";

/** A path, against the current folder. */
export function pathArgument(argument: ByteString, session: SignedIn): VirtualPath {
  if (argument === "") throw new Refusal(501, "A path is needed.");
  return optionalPath(argument, session);
}

/** A path, or the current folder when none is given. */
export function optionalPath(argument: ByteString, session: SignedIn): VirtualPath {
  const path = resolvePath(session.cwd, argument);
  if (path.length > PATH_LIMIT) throw new Refusal(553, `Path too long: the limit is ${PATH_LIMIT} octets.`);
  if (pathParts(path).some((part) => part.length > NAME_LIMIT)) {
    throw new Refusal(553, `Name too long: the limit is ${NAME_LIMIT} octets.`);
  }
  return path;
}

/** For commands that take none; what comes all the same is let pass, as every server does. */
export function noArgument(): undefined {
  return undefined;
}

/** A word in upper case, for arguments that are names of things. */
export function word(argument: ByteString): string {
  return argument.trim().toUpperCase();
}

/** `<first> <rest>`: the first word, and all after the one space, spaces of names kept. */
export function splitWord(argument: string): readonly [first: string, rest: string] {
  const space = argument.indexOf(" ");
  return space === -1 ? [argument, ""] : [argument.slice(0, space), argument.slice(space + 1)];
}

/** All after the first space of a byte string: a name, its own spaces kept. */
export function bytesAfter(argument: ByteString): ByteString {
  return joined(splitWord(argument)[1]);
}
