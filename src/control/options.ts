/** The option of the control socket. */
import { z } from "zod";
import { option } from "../base/option.ts";
import { SOCKET_PATH_LIMIT } from "./limits.ts";

export const CONTROL_OPTIONS = {
  controlSocket: option(
    z
      .string()
      .min(1)
      .refine(
        (path) => Buffer.byteLength(path) < SOCKET_PATH_LIMIT,
        `a socket's path has less than ${SOCKET_PATH_LIMIT} octets`,
      )
      .optional(),
    'Unix socket by which `ferryman ban` and others reach the running server; "off" for none',
    { source: "attack 62; without a path: ferryman/ in $RUNTIME_DIRECTORY, /run or $XDG_RUNTIME_DIR" },
  ),
} as const;
