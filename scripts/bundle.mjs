/**
 * Joins the command's modules into a few files: one file loads in half the time of three hundred, and a start as root
 * loads them in four processes one after another. `node scripts/bundle.mjs [DIST]`, after tsc has filled DIST.
 *
 * All files lie in one folder, DIST/bundle: programs that others are started from are found beside `import.meta.url`.
 */
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const dist = resolve(process.argv[2] ?? join(import.meta.dirname, "..", "dist"));
const outdir = join(dist, "bundle");

/** `z` as one object keeps all of zod, with its words in fifty languages; as a namespace esbuild takes what is used. */
const zodByParts = {
  name: "zod-by-parts",
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(dist)) return undefined;
      return { contents: readFileSync(path, "utf8").replace('import { z } from "zod"', 'import * as z from "zod"') };
    });
  },
};

const common = {
  outdir,
  entryNames: "[name]",
  chunkNames: "part-[hash]",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // CommonJS packages inside ask for Node's own modules by `require`.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
  plugins: [zodByParts],
  legalComments: "linked",
  logLevel: "warning",
};
/** Native, and not always there. */
const NATIVE = ["koffi"];

rmSync(outdir, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ["cli/main.js", "service/worker.js"].map((name) => join(dist, name)),
  splitting: true,
  external: NATIVE,
});
// What every start waits for: one file each, with copies of what it needs. No value crosses from them to the others.
await build({
  ...common,
  entryPoints: ["cli/start.js", "jail/launch.js"].map((name) => join(dist, name)),
  external: [...NATIVE, "./main.js"],
});
const made = readdirSync(outdir);
for (const name of ["start.js", "main.js", "launch.js", "worker.js"]) {
  if (!made.includes(name)) throw new Error(`no ${name} came about in ${outdir}`);
}
