/**
 * Joins the command's modules into a few files: one file loads in half the time of three hundred, and a start as root
 * loads them in four processes one after another. `node scripts/bundle.mjs [DIST]`, after tsc has filled DIST.
 *
 * All files lie in one folder, DIST/bundle: programs that others are started from are found beside `import.meta.url`.
 */
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { SERVER_COMMANDS } from "../bin/first-file.cjs";

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

/**
 * Node's own modules that cost milliseconds and mebibytes and that short commands do not use: they are loaded by the first
 * use of something in them. Names are those of this Node; what a later one adds is not asked for by code of today.
 */
const LATE = ["child_process", "crypto", "dns/promises", "readline", "stream/consumers", "tls", "worker_threads", "zlib"];
const lateBuiltins = {
  name: "late-builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^node:(?:${LATE.join("|")})$`) }, ({ path, namespace }) =>
      namespace === "late" ? { path, external: true } : { path, namespace: "late" },
    );
    onLoad({ filter: /./, namespace: "late" }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== "default");
      const getters = names.map((name) => `get ${name}() { return require("${path}").${name}; }`);
      return { contents: `module.exports = { ${getters.join(", ")} };`, resolveDir: dist };
    });
  },
};

/** What the client's file is never asked for. */
const withoutServer = {
  name: "without-server",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^\\./(?:${SERVER_COMMANDS.join("|")})\\.js$`) }, ({ path, importer }) =>
      importer === join(dist, "cli", "main.js") ? { path, external: true } : undefined,
    );
  },
};

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
// The client's commands by one file of CommonJS: it is read at once, nothing in it is resolved, and a module that is not
// asked for stays a function that nobody calls.
await build({
  ...common,
  entryPoints: [join(dist, "cli/main.js")],
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 200,
  banner: { js: 'const ownUrl = require("node:url").pathToFileURL(__filename).href;' },
  define: {
    "import.meta.url": "ownUrl",
    "import.meta.filename": "__filename",
    "import.meta.dirname": "__dirname",
  },
  plugins: [zodByParts, lateBuiltins, withoutServer],
  external: NATIVE,
});
const made = readdirSync(outdir);
for (const name of ["start.js", "main.js", "main.cjs", "launch.js", "worker.js"]) {
  if (!made.includes(name)) throw new Error(`no ${name} came about in ${outdir}`);
}
