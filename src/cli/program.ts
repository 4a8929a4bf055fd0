/** How the reader calls us: hints must work when they are copied, in a checkout as well as after an installation. */
import { join, relative } from "node:path";

/** `ferryman`, or in a checkout, where no such command is on the PATH, `node bin/ferryman.cjs` as seen from here. */
export const PROGRAM: string = import.meta.filename.endsWith(".ts")
  ? `node ${relative(process.cwd(), join(import.meta.dirname, "..", "..", "bin", "ferryman.cjs"))}`
  : "ferryman";
