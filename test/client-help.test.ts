/** Help of the client's commands fits a terminal of 80 columns, and its examples are commands that there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { widthOf } from "../src/cli/columns.ts";

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  get: async () => (await import("../src/cli/get.ts")).getCommand(),
  put: async () => (await import("../src/cli/put.ts")).putCommand(),
  ls: async () => (await import("../src/cli/ls.ts")).lsCommand(),
  cat: async () => (await import("../src/cli/cat.ts")).catCommand(),
  rm: async () => (await import("../src/cli/rm.ts")).rmCommand(),
  mv: async () => (await import("../src/cli/mv.ts")).mvCommand(),
  mkdir: async () => (await import("../src/cli/mkdir.ts")).mkdirCommand(),
  stat: async () => (await import("../src/cli/stat.ts")).statCommand(),
  du: async () => (await import("../src/cli/du.ts")).duCommand(),
  find: async () => (await import("../src/cli/find.ts")).findCommand(),
  chmod: async () => (await import("../src/cli/chmod.ts")).chmodCommand(),
  mirror: async () => (await import("../src/cli/mirror.ts")).mirrorCommand(),
  cp: async () => (await import("../src/cli/cp.ts")).cpCommand(),
  watch: async () => (await import("../src/cli/watch.ts")).watchCommand(),
  completion: async () => (await import("../src/cli/completion.ts")).completionCommand(async () => []),
  bookmark: async () => (await import("../src/cli/bookmark.ts")).bookmarkCommand(),
  doctor: async () => (await import("../src/cli/doctor.ts")).doctorCommand(),
};

for (const [name, load] of Object.entries(COMMANDS)) {
  test(`${name} --help is at most 80 columns wide`, async () => {
    const command = await load();
    for (const each of [command, ...command.commands]) {
      let text = "";
      each.configureOutput({ writeOut: (piece) => (text += piece), getOutHelpWidth: () => 80 });
      each.outputHelp();
      assert.match(text, /^Usage: /);
      for (const line of text.split("\n")) assert.ok(widthOf(line) <= 80, `${widthOf(line)} columns: ${line}`);
      for (const [, used = ""] of text.matchAll(/^ {2}ferryman (\S+)/gm)) {
        assert.ok(used in COMMANDS, `an example of "${used}"`);
      }
    }
  });
}
