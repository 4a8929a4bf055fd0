/** All commands of the shell. */
import type { ShellCommand } from "../command.ts";
import { CONNECTION_COMMANDS } from "./connection.ts";
import { FILE_COMMANDS } from "./files.ts";
import { FOLDER_COMMANDS } from "./folders.ts";
import { GET_COMMANDS } from "./get.ts";
import { JOB_COMMANDS } from "./jobs.ts";
import { LISTING_COMMANDS } from "./listing.ts";
import { MIRROR_COMMANDS } from "./mirror.ts";
import { MORE_COMMANDS } from "./more.ts";
import { NAME_COMMANDS } from "./names.ts";
import { PUT_COMMANDS } from "./put.ts";
import { SETTING_COMMANDS } from "./settings.ts";
import { SHOW_COMMANDS } from "./show.ts";
import { SLOT_COMMANDS } from "./slots.ts";
import { WAY_COMMANDS } from "./ways.ts";

export const SHELL_COMMANDS: readonly ShellCommand[] = [
  ...CONNECTION_COMMANDS,
  ...FOLDER_COMMANDS,
  ...LISTING_COMMANDS,
  ...GET_COMMANDS,
  ...PUT_COMMANDS,
  ...MIRROR_COMMANDS,
  ...FILE_COMMANDS,
  ...SHOW_COMMANDS,
  ...JOB_COMMANDS,
  ...SETTING_COMMANDS,
  ...MORE_COMMANDS,
  // Behind the others, which are meant more often: a mistyped word finds the first that is near.
  ...SLOT_COMMANDS,
  ...NAME_COMMANDS,
  ...WAY_COMMANDS,
];
