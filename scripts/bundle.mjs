/**
 * Joins the command's modules into a few files: one file loads in half the time of three hundred, and a start as root
 * loads them in four processes one after another. `node scripts/bundle.mjs [DIST]`, after tsc has filled DIST.
 *
 * All files lie in one folder, DIST/bundle: programs that others are started from are found beside `import.meta.url`.
 */
import { readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const dist = resolve(process.argv[2] ?? join(import.meta.dirname, "..", "dist"));
const outdir = join(dist, "bundle");
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: ["cli/main.js", "jail/launch.js", "service/worker.js"].map((name) => join(dist, name)),
  entryNames: "[name]",
  chunkNames: "part-[hash]",
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // Native, and not always there.
  external: ["koffi"],
  // CommonJS packages inside ask for Node's own modules by `require`.
  banner: { js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);' },
  legalComments: "linked",
  logLevel: "warning",
});
if (!readdirSync(outdir).includes("main.js")) throw new Error(`no bundle came about in ${outdir}`);
