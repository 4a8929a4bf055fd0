import type { Command } from "../../command.ts";
import { chmod } from "./chmod.ts";
import { cpfr } from "./cpfr.ts";
import { cpto } from "./cpto.ts";
import { help } from "./help.ts";
import { idle } from "./idle.ts";
import { mkdir } from "./mkdir.ts";
import { rmdir } from "./rmdir.ts";
import { symlink } from "./symlink.ts";
import { umask } from "./umask.ts";
import { utime } from "./utime.ts";
import { who } from "./who.ts";

const ALL: readonly Command[] = [chmod, cpfr, cpto, help, idle, mkdir, rmdir, symlink, umask, utime, who];

/** Every SITE subcommand, by name. */
export const SITE_COMMANDS: ReadonlyMap<string, Command> = new Map(ALL.map((each) => [each.verb, each]));
