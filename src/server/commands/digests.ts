/** The X-verbs of digests. One file for six verbs, as they differ in name alone. */
import type { Command } from "../command.ts";
import { digestCommand } from "../digest-of.ts";

export const xcrc: Command = digestCommand("XCRC", "CRC32");
export const xmd5: Command = digestCommand("XMD5", "MD5");
export const xsha: Command = digestCommand("XSHA", "SHA-1");
export const xsha1: Command = digestCommand("XSHA1", "SHA-1");
export const xsha256: Command = digestCommand("XSHA256", "SHA-256");
export const xsha512: Command = digestCommand("XSHA512", "SHA-512");
