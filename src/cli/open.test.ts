/** `ferryman open`: what its flags make of a shell, and that what cannot be is said before anything connects. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CliError } from "./exit.ts";
import { openCommand } from "./open.ts";
import type { ShellOptions } from "./shell/shell.ts";

async function asked(...words: readonly string[]): Promise<ShellOptions> {
  let options: ShellOptions | undefined;
  const command = openCommand(async (given) => {
    options = given;
    return 0;
  }).exitOverride();
  await command.parseAsync([...words], { from: "user" });
  assert.ok(options !== undefined, "the shell was not run");
  return options;
}

test("a target, its port, and how things are shown", async () => {
  const plain = await asked("ftp://ann@ftp.example.org/pub");
  assert.deepEqual(
    [plain.target, plain.targetOptions, plain.commands],
    ["ftp://ann@ftp.example.org/pub", {}, undefined],
  );
  const { targetOptions, board, quiet, settings, startFile } = await asked("host", "2121", "-q", "-A", "-d", "--no-rc");
  assert.deepEqual(targetOptions, { port: 2121, user: "anonymous" });
  assert.deepEqual([board, quiet, settings, startFile], ["none", true, { debug: "on" }, false]);
  assert.equal((await asked("--json")).board, "events");
});

test("what the help says of the shell fits 80 columns", () => {
  let help = "";
  openCommand()
    .configureOutput({ writeOut: (text) => void (help += text), getOutHelpWidth: () => 80 })
    .outputHelp();
  const own = help.slice(0, help.indexOf("A URL is"));
  assert.match(own, /FTPPROMPT/);
  assert.deepEqual(
    own.split("\n").filter((line) => line.length > 80),
    [],
  );
});

test("commands, files of commands, and commands before", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-open-"));
  context.after(async () => await rm(folder, { recursive: true }));
  const file = join(folder, "script");
  await writeFile(file, "open h\nann\nx\n");
  assert.deepEqual((await asked("-c", "ls; pwd", "-e", "cd pub", "host")).commands, "ls; pwd");
  assert.equal((await asked("-e", "cd pub")).first, "cd pub");
  const fromFile = await asked("-f", file);
  assert.deepEqual([fromFile.commands, fromFile.terminal], ["open h\nann\nx\n", false]);
  const script = await asked("-i", "-n", "-v", "-g", `-s:${file}`, "host", "2121");
  assert.equal(script.target, undefined);
  assert.deepEqual(script.windowsScript, {
    text: "open h\nann\nx\n",
    host: "host 2121",
    logsIn: false,
    isAnonymous: false,
    usesGlobs: false,
  });
  assert.equal((await asked(`-s:${file}`)).windowsScript?.logsIn, true);
});

test("-b is as -f, and -w:SIZE of ftp.exe is understood", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-open-"));
  context.after(async () => await rm(folder, { recursive: true }));
  const file = join(folder, "batch");
  await writeFile(file, "-rm x\nput y\n");
  assert.equal((await asked("-b", file, "host")).commands, "-rm x\nput y\n");
  assert.equal((await asked("-i", "-w:8192", `-s:${file}`)).windowsScript?.text, "-rm x\nput y\n");
});

test("FTPMODE is a setting, unless --mode says something", async (context) => {
  context.after(() => delete process.env["FTPMODE"]);
  process.env["FTPMODE"] = "ACTIVE";
  assert.deepEqual((await asked("host")).settings, { modes: "eprt,port" });
  assert.deepEqual((await asked("host", "-m", "passive")).settings, {});
  process.env["FTPMODE"] = "auto";
  assert.deepEqual((await asked("host", "-d")).settings, { debug: "on" });
});

test("what cannot be is wrong usage", async () => {
  for (const [words, said] of [
    [["-c", "ls", "-f", "x"], /exclude each other/],
    [["-f", "/no/such/file"], /Cannot read \/no\/such\/file/],
    [["host", "70000"], /"70000" is no port/],
  ] as const) {
    await assert.rejects(
      asked(...words),
      (error) => error instanceof CliError && error.exitCode === 2 && said.test(error.message),
    );
  }
});

test("a name without a password is asked for one, and without an answer it is not tried", async () => {
  const { connect } = await asked("--no-netrc", "--no-store", "host");
  const questions: string[] = [];
  const help = {
    say: () => {},
    ask: async (user: string, host: string) => {
      questions.push(`${user} at ${host}`);
      return undefined;
    },
  };
  await assert.rejects(async () => await connect?.("ftp://ann@127.0.0.1:9/x", {}, help), { code: "AUTH" });
  await assert.rejects(async () => await connect?.("127.0.0.1:9", { user: "bob" }, help), { code: "AUTH" });
  assert.deepEqual(questions, ["ann at 127.0.0.1", "bob at 127.0.0.1"]);
  await assert.rejects(async () => await connect?.("gopher://x", {}, help), { code: "USAGE" });
});
