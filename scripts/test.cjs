"use strict";
/** `npm test`: hands over to run-tests.mjs on a Node that can run it. Old syntax on purpose, like setup.cjs. */
var childProcess = require("child_process");
var path = require("path");
var node = require("../bin/find-node.cjs");

var binary = node.findNode(path.join(__dirname, ".."));
if (binary === undefined) {
  console.error("No recent Node here yet. Run this first: node scripts/setup.cjs test");
  process.exit(78);
}
var args = [path.join(__dirname, "run-tests.mjs")].concat(process.argv.slice(2));
var outcome = childProcess.spawnSync(binary, args, { stdio: "inherit" });
process.exit(outcome.status === null ? 1 : outcome.status);
