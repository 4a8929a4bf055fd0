/** The shell with a person at it: prompt, questions, Ctrl-C, Ctrl-Z, Ctrl-D, jobs, history. Waits are for what is shown. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FtpError } from "../../client/errors.ts";
import type { ConnectOptions } from "../../client/types.ts";
import type { ShellOptions } from "./options.ts";
import { MemoryClient, type Stage, staged, until } from "./test-client.ts";

const FILES = { "/base/a.txt": "hello\n", "/base/stuck": "never", "/base/pub": undefined };
const PROMPT = "ann@ftp.example.org:/base [clear]> ";

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ferryman-terminal-"));
  context.after(async () => await rm(path, { recursive: true }));
  return path;
}

function person(options: Partial<ShellOptions> = {}, client = new MemoryClient(FILES)): Stage {
  return staged(client, { terminal: true, ...options });
}

/** Types a line at the next prompt. */
async function type(stage: Stage, line: string, prompt = "> "): Promise<void> {
  await stage.output.until(prompt);
  stage.input.write(`${line}\r`);
}

test("the prompt says who, where, which folder, and that nothing is encrypted; Ctrl-D ends it", async () => {
  const stage = person();
  await type(stage, "cd pub", PROMPT);
  await stage.output.until("ann@ftp.example.org:/base/pub [clear]> ");
  stage.input.write("\u0004");
  assert.equal(await stage.ended, 0);
  assert.match(stage.errorOutput.text, /^connected to ftp\.example\.org as ann; not encrypted/);
  const tls = { version: "TLSv1.3", cipher: "x", fingerprint: "ab" };
  const safe = person({}, new MemoryClient(FILES, { tls, host: "evil\u001b[2J" }));
  await type(safe, "exit", "ann@evil?[2J:/base [TLS]> ");
  assert.equal(await safe.ended, 0);
});

test("Ctrl-C ends the transfer and keeps the prompt; what follows on the line is left out", async (context) => {
  const stage = person({ localFolder: await folder(context) });
  await type(stage, "get stuck; echo not-this");
  await called(stage, "download /base/stuck");
  stage.signals.emit("SIGINT");
  await type(stage, "echo still-here; false");
  await type(stage, "exit", "still-here\n");
  assert.equal(await stage.ended, 0);
  assert.match(stage.errorOutput.text, /stuck {2}failed: interrupted\ninterrupted\n/);
  assert.doesNotMatch(stage.output.text, /\nnot-this/);
  assert.equal(stage.signals.listenerCount("SIGINT"), 0);
});

test("a second Ctrl-C does not wait for a transfer that does not end", async (context) => {
  const client = new MemoryClient(FILES);
  client.download = async () => await new Promise(() => {});
  const stage = person({ localFolder: await folder(context) }, client);
  await type(stage, "get a.txt");
  await until(() => stage.signals.listenerCount("SIGINT") > 0);
  stage.signals.emit("SIGINT");
  stage.signals.emit("SIGINT");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
});

test("Ctrl-C at the prompt takes away what was typed", async () => {
  const stage = person();
  await stage.output.until("> ");
  stage.input.write("echo wrong\u0003");
  stage.input.write("echo right\r");
  await type(stage, "exit", "\nright\n");
  assert.equal(await stage.ended, 0);
  assert.doesNotMatch(stage.output.text, /\nwrong/);
});

test("jobs: started by &, shown, waited for, ended, told once", async (context) => {
  const stage = person({ localFolder: await folder(context) });
  await type(stage, "get stuck &");
  await type(stage, "jobs");
  await type(stage, "kill 1", "[1] running  get stuck  (stuck 0 B)\n");
  await stage.output.until("[1] ended    get stuck\n");
  stage.input.write("echo job | cat & wait; echo after\r");
  await stage.output.until("after\n");
  stage.input.write("kill 1\r");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
  assert.match(stage.errorOutput.text, /kill: there is no job 1: see jobs\n/);
});

test("the queue runs one after the other, and can be halted", async (context) => {
  const stage = person({ localFolder: await folder(context) });
  await type(stage, "queue stop; queue get a.txt -o one; queue 'echo two; echo three'");
  await type(stage, "queue");
  await type(stage, "queue start", "[2] waiting  echo two; echo three\n");
  await stage.output.until("two\nthree\n");
  stage.input.write("exit\r");
  assert.equal(await stage.ended, 0);
});

test("Ctrl-Z sends a transfer to the background, and fg brings it back for Ctrl-C", async (context) => {
  const stage = person({ localFolder: await folder(context) });
  await type(stage, "get stuck");
  await called(stage, "download /base/stuck");
  stage.signals.emit("SIGTSTP");
  await stage.errorOutput.until("[1] goes on in the background: get stuck\n");
  await type(stage, "cd pub");
  await type(stage, "fg");
  await stage.errorOutput.until("get stuck\n");
  stage.signals.emit("SIGINT");
  await stage.errorOutput.until("interrupted\n");
  await type(stage, "jobs; pwd");
  await type(stage, "exit", "\n/base/pub\n");
  assert.equal(await stage.ended, 0);
});

test("the end asks once about running jobs, and the second try in a row needs no answer", async (context) => {
  const localFolder = await folder(context);
  const stage = person({ localFolder });
  await type(stage, "get stuck &");
  await type(stage, "exit");
  await type(stage, "n", "A job is running; end it [y/N]? ");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
  const other = person({ localFolder });
  await type(other, "get stuck & get stuck &");
  await type(other, "bye");
  await type(other, "y", "2 jobs are running; end them [y/N]? ");
  assert.equal(await other.ended, 0);
});

test("questions: rm asks once, prompt asks about each, and no is the answer of an empty line", async () => {
  const stage = person();
  await type(stage, "rm -r pub");
  await type(stage, "", "remove /base/pub with all that is in it [y/N]? ");
  await type(stage, "prompt on; mdelete *");
  await type(stage, "n", "remove /base/a.txt [y]es, [n]o, [a]ll, [q]uit? ");
  await type(stage, "q", "remove /base/pub [y]es, [n]o, [a]ll, [q]uit? ");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
  assert.deepEqual(
    stage.client.calls.filter((call) => call.startsWith("remove")),
    [],
  );
});

test("a password is asked for without being shown, kept for the next connection alone, and never in the history", async (context) => {
  const history = join(await folder(context), "state", "history");
  const asked: (string | undefined)[] = [];
  const connect = async (
    _target: string,
    options: ConnectOptions,
    help: { ask: (user: string, host: string) => Promise<string | undefined> },
  ) => {
    const password = options.password ?? (await help.ask("ann", "ftp.example.org"));
    asked.push(password);
    if (password === "wrong") throw new FtpError("AUTH", "login refused", { phase: "login" });
    return { client: new MemoryClient(FILES), path: "pub" };
  };
  const stage = person({ connect, history, target: "ftp://ann@ftp.example.org/pub" });
  await type(stage, "wrong", "Password of ann at ftp.example.org: ");
  await type(stage, "open ftp://ann:topsecret@ftp.example.org", "(not connected)> ");
  await type(stage, "secret", "Password of ann at ftp.example.org: ");
  await type(stage, "user bob topsecret", "/base/pub [clear]> ");
  await type(stage, "quote PASS topsecret", PROMPT);
  await type(stage, " echo topsecret");
  await type(stage, "echo kept");
  await type(stage, "active");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
  assert.deepEqual(asked, ["wrong", "secret", "topsecret", "topsecret"]);
  assert.doesNotMatch(stage.output.text, /wrong/);
  assert.equal(await readFile(history, "utf8"), "open ftp://ann@ftp.example.org\necho kept\nactive\nexit\n");
  assert.equal((await stat(history)).mode & 0o777, 0o600);
  const next = person({ history });
  await next.output.until("> ");
  next.input.write("\u001b[A\u001b[A\u001b[A\r");
  await type(next, "exit", "\nkept\n");
  assert.equal(await next.ended, 0);
});

test("lines that hold a password are not kept, wherever it stands", async (context) => {
  const history = join(await folder(context), "history");
  const client = new MemoryClient(FILES);
  const stage = person({ connect: async () => ({ client, path: "" }), history, target: "one" });
  for (const line of [
    "open -u ann,topsecret one",
    "account topsecret",
    "alias go 'user bob topsecret'",
    "queue 'quote ACCT topsecret'",
    "set proxy socks5://ann:topsecret@127.0.0.1:1",
    "open -u ann one",
  ]) {
    await type(stage, line);
  }
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
  const kept = await readFile(history, "utf8");
  assert.equal(kept, "set proxy socks5://ann@127.0.0.1:1\nopen -u ann one\nexit\n");
});

test("macdef asks for lines up to an empty one, and Ctrl-C ends it without a macro", async () => {
  const stage = person();
  await type(stage, "macdef hi");
  await type(stage, "echo hello $1", "macdef> ");
  await type(stage, "", "macdef> ");
  await type(stage, "$hi you");
  await stage.output.until("hello you\n");
  await type(stage, "macdef half");
  await type(stage, "echo half", "macdef> ");
  await stage.output.until("macdef> ");
  stage.input.write("\u0003");
  await type(stage, "$half");
  await stage.errorOutput.until("there is no macro");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
});

test("FTPPROMPT is the prompt", async () => {
  const stage = person({ environment: { FTPPROMPT: "%n@%m %S> " } });
  await type(stage, "exit", "ann@ftp [clear]> ");
  assert.equal(await stage.ended, 0);
});

test("bye is asked about once, and bye is an answer", async (context) => {
  const stage = person({ localFolder: await folder(context) });
  await type(stage, "get stuck &");
  await type(stage, "bye");
  await type(stage, "bye", "A job is running; end it [y/N]? ");
  assert.equal(await stage.ended, 0);
});

async function refusing(): Promise<never> {
  throw new FtpError("UNREACHABLE", "the server refuses connections", { phase: "connect" });
}

test("a connection that cannot be made keeps a person's shell, and ends a script with a code that says why", async () => {
  const stage = person({ connect: refusing, target: "ftp.example.org" });
  await type(stage, "ls", "(not connected)> ");
  await type(stage, "exit");
  assert.equal(await stage.ended, 0);
  assert.match(stage.errorOutput.text, /^open: the server refuses connections\nls: there is no connection: open HOST/);
  const script = staged(new MemoryClient(), { connect: refusing, target: "ftp.example.org", commands: "ls" });
  assert.equal(await script.ended, 75);
});

test("lines of a pipe are a script: what is wrong ends it, and its jobs are waited for", async (context) => {
  const stage = staged(new MemoryClient(FILES), { localFolder: await folder(context) });
  stage.input.end("get a.txt &\npwd\n-cd nowhere\necho end\n");
  assert.equal(await stage.ended, 0);
  assert.equal(stage.output.text, "/base\nend\n");
  assert.match(stage.errorOutput.text, /\[1\] done {5}get a\.txt\n$/);
  const failing = staged(new MemoryClient(FILES), {});
  failing.input.end("get nothing &\npwd\n");
  assert.equal(await failing.ended, 1);
  const stopped = staged(new MemoryClient(FILES), { commands: "get stuck; pwd", localFolder: await folder(context) });
  await called(stopped, "download /base/stuck");
  stopped.signals.emit("SIGINT");
  assert.equal(await stopped.ended, 130);
  assert.equal(stopped.output.text, "");
});

async function called(stage: Stage, call: string): Promise<void> {
  await until(() => stage.client.calls.includes(call));
}
