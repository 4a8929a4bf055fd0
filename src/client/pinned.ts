/** Files and folders of this host that are held open: what is used is what was looked at, whatever takes its name meanwhile. */
import { constants, existsSync } from "node:fs";

// Windows has none of the flags but O_RDONLY.
export const NO_FOLLOW = constants.O_NOFOLLOW | 0;
export const OPEN_FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY | 0);
/** A fifo that takes a file's name must not make us wait. */
export const OPEN_FILE = constants.O_RDONLY | (constants.O_NONBLOCK | 0);

/** Whether what is open has a path of its own: on Linux. */
export function hasPins(): boolean {
  return existsSync("/proc/self/fd");
}

/** The path by which an open file or folder can be reached. */
export function pinnedPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
