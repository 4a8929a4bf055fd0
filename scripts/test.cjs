"use strict";
/** `npm test`: hands over to run-tests.mjs on a Node that can run it. Old syntax on purpose, like setup.cjs. */
var childProcess = require("child_process");
var path = require("path");
var url = require("url");
var node = require("../bin/find-node.cjs");

var runner = path.join(__dirname, "run-tests.mjs");

if (node.isRecent(process.versions.node)) import(url.pathToFileURL(runner).href);
else runOn(node.pinnedNode(path.join(__dirname, "..")));

function runOn(binary) {
  if (binary === undefined) {
    console.error("No recent Node here yet. Run this first: node scripts/setup.cjs test");
    process.exit(78);
  }
  var outcome = childProcess.spawnSync(binary, [runner].concat(process.argv.slice(2)), { stdio: "inherit" });
  process.exit(outcome.status === null ? 1 : outcome.status);
}
