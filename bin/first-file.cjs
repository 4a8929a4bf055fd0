"use strict";
/**
 * Which file of the bundle a command line begins with, and how V8 is set for it. `scripts/bundle.mjs` reads the list too, so
 * that what is left out of the client's file is what is never asked of it. Old syntax, as all here.
 */

/** Commands of the server, and the help on any command; all others are the client's. */
var SERVER_COMMANDS = ["serve", "user", "doctor", "ban", "help"];
/** Commands that move octets and make few objects. */
var MOVERS = ["get", "put", "cat"];

/** @param {string[]} words after the program's name */
function firstFile(words) {
  var file = SERVER_COMMANDS.indexOf(commandOf(words)) >= 0 ? "start.js" : "main.cjs";
  return { file: file, isMover: MOVERS.indexOf(commandOf(words)) >= 0 };
}

function commandOf(words) {
  return words.filter(function (word) {
    return word.charAt(0) !== "-";
  })[0];
}

module.exports = { SERVER_COMMANDS: SERVER_COMMANDS, firstFile: firstFile };
