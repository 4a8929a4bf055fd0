/** What a launcher is told: under which powers, files and identity a program of ours runs. Checked where it is read. */
import { z } from "zod";
import { CAPABILITIES } from "../sys/capabilities.ts";
import { ROOTS_LIMIT } from "./limits.ts";

/** The variable that carries the terms to the launcher. */
export const TERMS_VARIABLE = "FERRYMAN_LAUNCH";
/** Set for a program that has re-executed itself: its process id. */
export const CONFINED_VARIABLE = "FERRYMAN_CONFINED";
/** Terms that cannot be kept: EX_NOPERM of sysexits.h. The reason stands on the error output. */
export const LAUNCH_FAILED = 77;

const text = z.string().refine((value) => !value.includes("\0"), "holds a NUL");
const path = text.refine((value) => value.startsWith("/"), "is no absolute path");
const descriptor = z.int().min(0).max(65_535);
/** Never root: ids from 1 on, and not the -1 that means "leave as it is". */
const id = z.int().min(1).max(4_294_967_294);

export type HostUser = z.output<typeof hostUser>;
const hostUser = z.strictObject({ uid: id, gid: id });

const filesTerms = z.strictObject({
  /** Without Landlock in the kernel: "auto" goes on, "require" fails. */
  need: z.enum(["auto", "require"]),
  /** Paths below which files may be read, besides what Node itself needs. */
  readOnly: z.array(path),
  readWrite: z.array(path),
  /** Folders that are open already, by their descriptor. */
  roots: z.array(z.strictObject({ descriptor, write: z.boolean() })).max(ROOTS_LIMIT),
});

export type Terms = z.output<typeof TERMS>;
export const TERMS = z.strictObject({
  /** Absent: the identity stays. */
  user: hostUser.optional(),
  keepCapabilities: z.array(z.enum(CAPABILITIES)),
  /** Absent: all files that the identity may touch. */
  files: filesTerms.optional(),
  umask: z.int().min(0).max(0o777),
  /** Ends with the process that started it. */
  dieWithParent: z.boolean(),
  /** Descriptors besides 0, 1 and 2 that the program gets. */
  descriptors: z.array(descriptor),
  /** The one of `descriptors` that is Node's channel. */
  channel: descriptor.optional(),
  nodeArguments: z.array(text),
  script: path,
  scriptArguments: z.array(text),
});
