"use strict";
/**
 * One install at a time: `npm ci` begins by removing node_modules, which would take the packages away from under a
 * second one, or from under the tests that follow it. The lock is a file beside package.json with the ids of the
 * processes that install, npm's own too: npm outlives a set-up that was killed. Old syntax, as scripts/setup.cjs.
 */
var fs = require("fs");

/** How long one set-up waits for another before it says so and gives up, ms: ten slow installs. */
var WAIT_LIMIT = 5 * 60 * 1000;
var POLL = 200;

module.exports = { acquire: acquire };

/**
 * Waits until nobody else installs here.
 * @param {string} file the lock
 * @param {function(string): void} say told once when there is somebody to wait for
 * @returns {{add: function(number): void, release: function(): void}} `add` names npm's process as a holder too
 * @throws {Error} when the others take longer than WAIT_LIMIT
 */
function acquire(file, say) {
  var start = Date.now();
  var told = false;
  while (!take(file)) {
    var holders = holdersOf(file);
    if (!holders.some(isAlive)) {
      remove(file);
      continue;
    }
    if (!told) say("Another install is at work here (process " + holders.join(", ") + "); waiting for it …");
    told = true;
    if (Date.now() - start > WAIT_LIMIT) {
      throw new Error("Process " + holders.join(", ") + " has been installing for too long. End it and try again.");
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL);
  }
  return {
    add: function (pid) {
      fs.appendFileSync(file, pid + "\n");
    },
    release: function () {
      remove(file);
    },
  };
}

/** Whole at once or not at all: a lock without an id in it would look like one that is left over. */
function take(file) {
  var own = file + "." + process.pid;
  fs.writeFileSync(own, process.pid + "\n");
  try {
    fs.linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    fs.unlinkSync(own);
  }
}

function holdersOf(file) {
  try {
    return fs.readFileSync(file, "utf8").split("\n").map(Number).filter(Boolean);
  } catch (error) {
    return [];
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function remove(file) {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}
