/** How the commands of the client end: what is said and what not, after failures, of a closed pipe, of a full disk, of a signal. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Liar } from "./client/liar.ts";
import { BARE, LAUNCHER, eventsOf, onServer } from "./support/client-stage.ts";
import { type Ran, run } from "./support/run.ts";

const MEBIBYTE = 1_048_576;

test("no message repeats a password, however wrong the words are", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    for (const name of ["a", "b"]) await writeFile(join(folder, name), name);
    await writeFile(join(root, "file"), "");
    const lines = ["http:/u:secret@h/x", "ann:secret@h/x", "ftp://u:sec/secret@h/x", "ftp://ann:secret"];
    await writeFile(join(folder, "list"), lines.join("\n"));
    const cases: readonly (readonly string[])[] = [
      ["put", "a", "b", url("file")],
      ["put", "a", "b", url("none")],
      ["put", url("x")],
      ["put", url("x"), url("y")],
      ["put", url("x"), "a"],
      ["put", "ftp:/ann:secret@h/x", url("y")],
      ["put", "a", "ann:secret@127.0.0.1:1/x"],
      ["get", "-i", "list"],
      ...lines.map((line) => ["get", line]),
      ["get", "-o", url("file"), url("file")],
      ["get", "-O", url("file"), url("none")],
      ["get", "--mirror", "http:/u:secret@h/x", url("file")],
      ["get", "-r", url("none/")],
      ["get", "-r", "http://u:secret@127.0.0.1:1/x", "--retries", "1"],
      ["get", "https://u:secret@127.0.0.1:1/x"],
      ["get", "--proxy", "sock://u:secret@127.0.0.1:1", url("file")],
      ["get", "--proxy", "http://u:secret@127.0.0.1:1", url("file"), "--retries", "1"],
      ["cp", "ann:secret@h", url("y")],
      ["cp", url("file"), "ann:secret@h"],
      ["cp", url("none"), url("y")],
      ["mirror", url("none"), url("y")],
      ["mirror", "ftp:/ann:secret@h/x", url("y")],
      ["mirror", url("file"), "ftp:/ann:secret@h/x/y"],
      ["mv", url("none"), "ftp://ann:secret@other/x"],
      ["mv", url("a"), url("b"), url("c")],
      ["ls", url("none"), "ftp://ann:secret"],
      ["watch", url("a"), url("b")],
      ["bookmark", "add", "x y", url("a")],
      ["bookmark", "add", "x", "fpt://ann:secret@h"],
      ["open", "-c", "lcd ftp:/ann:secret@h", url("")],
      ["open", "-c", "open ftp://ann:secret", url("")],
      ["open", "-c", "put ftp:/ann:secret@h/x", url("")],
      [url("x")],
      ["ann:secret@h"],
      ["find", `--name=${url("x")}`, "--nosuch", url("x")],
    ];
    for (const words of cases) {
      // The shell has no JSON, and bookmarks none for what fails.
      const ways = ["bookmark", "open"].includes(words[0] ?? "") ? [[]] : [[], ["--json"]];
      const all = await Promise.all(ways.map(async (way) => await ferryman(...words, ...way)));
      for (const { code, stdout, stderr } of all) {
        // One of several mirrors is left out with a note.
        if (!words.includes("--mirror")) assert.notEqual(code, 0, words.join(" "));
        assert.notEqual(stdout + stderr, "", words.join(" "));
        assert.doesNotMatch(stdout + stderr, /secret/, words.join(" "));
      }
    }
  });
});

test("-q tells failures, with the name and the reason, and nothing else", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    await writeFile(join(root, "a"), "a");
    await mkdir(join(folder, "tree"));
    const cases: readonly (readonly [words: readonly string[], told: RegExp])[] = [
      [["get", url("none")], /^none  failed: cannot get \/none: there is no such/],
      [["get", url("none"), url("a")], /^none  failed: cannot get \/none: .*\n.*1 of 2 failed/],
      [["get", "-o", "-", url("none")], /cannot get \/none/],
      [["put", "none", url("")], /^none  failed: cannot read none: there is no such/],
      [["cp", url("none"), url("b")], /^none  failed: cannot get \/none/],
      [["get", "-r", url("none/")], /cannot .*none/],
      [["mirror", url("none"), "here"], /There is nothing to mirror/],
      [["rm", url("none"), url("other")], /remove none: there is no such[^]*remove other: there is no such/],
    ];
    for (const [words, told] of cases) {
      const { code, stderr } = await ferryman(...words, "-q");
      assert.equal(code, 1, words.join(" "));
      assert.match(stderr, told);
      assert.doesNotMatch(stderr, /note:/);
    }
    assert.equal((await ferryman("get", "-q", url("a"))).stderr, "");
  });
});

test("several URLs: what fails at one stops no other, and the end is code 1", async () => {
  await onServer(async ({ root, url, ferryman }) => {
    await writeFile(join(root, "a"), "text");
    await mkdir(join(root, "sub"));
    await writeFile(join(root, "sub/b"), "");
    const said = async (...words: readonly string[]): Promise<Ran> => {
      const ran = await ferryman(...words);
      assert.equal(ran.code, 1, words.join(" "));
      assert.match(ran.stderr, /error: [^]*none: there is no such[^]*1 of 2 failed/, words.join(" "));
      return ran;
    };
    assert.equal((await said("cat", url("none"), url("a"))).stdout, "text");
    assert.match((await said("ls", url("none"), url("sub"))).stdout, /^b$/m);
    assert.match((await said("stat", url("none"), url("a"))).stdout, /4 octets/);
    assert.match((await said("du", "-b", url("none"), url("sub"))).stdout, /^0\t/);
    await said("chmod", "600", url("none"), url("a"));
    await said("rm", url("none"), url("a"));
    await ferryman("mkdir", url("sub"), url("new"));
    assert.deepEqual((await readdir(root)).toSorted(), ["new", "sub"]);
    const told = eventsOf(await ferryman("stat", "--json", url("none"), url("sub")));
    assert.deepEqual(
      told.map(({ event, code, name }) => event ?? code ?? name),
      ["failed", "sub"],
    );
  });
});

/** A shell runs it, with `ferryman` for the command and its flags. */
async function shell(script: string, cwd: string): Promise<Ran> {
  const command = `ferryman() { "${process.execPath}" "${LAUNCHER}" "$@" ${BARE.join(" ")}; }\nset -o pipefail\n`;
  return await run("bash", ["-c", command + script], { cwd });
}

test("a reader that has enough ends a command without a word; one that cannot be written to is told", async () => {
  await onServer(async ({ root, folder, url }) => {
    await writeFile(join(root, "large"), randomBytes(4 * MEBIBYTE));
    for (let at = 0; at < 500; at += 1) await writeFile(join(root, `${"long".repeat(40)}${at}`), "");
    for (const words of [`cat ${url("large")}`, `get ${url("large")} -o -`, `ls ${url("")}`, `find ${url("")}`]) {
      const ended = await shell(`ferryman ${words} | head -c 10`, folder);
      assert.deepEqual([ended.code, ended.stderr, ended.stdout.length > 0], [0, "", true], words);
      const full = await shell(`ferryman ${words} > /dev/full`, folder);
      assert.equal(full.code, 1, words);
      assert.match(full.stderr, /cannot write to standard output: the disk is full/, words);
      assert.doesNotMatch(full.stderr, /not expected/, words);
    }
    const device = await shell(`ferryman get ${url("large")} -o /dev/full`, folder);
    assert.equal(device.code, 1);
    assert.match(device.stderr, /large  failed.*cannot write \/dev\/full: the disk is full/);
    assert.doesNotMatch(device.stderr, /not expected/);
  });
});

test("--max-time ends a command with 75, and leaves what can be gone on with", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    const data = randomBytes(3 * MEBIBYTE);
    await writeFile(join(root, "large"), data);
    const ran = await ferryman("get", url("large"), "--limit-rate", "1M", "--max-time", "1");
    assert.equal(ran.code, 75, ran.stderr);
    assert.match(ran.stderr, /kept in \.large\..*\.part[^]*not done within 1 s \(--max-time\)/);
    assert.equal((await ferryman("cat", url("large"), "--limit-rate", "1M", "--max-time", "1")).code, 75);
    assert.equal((await ferryman("get", "-c", url("large"))).code, 0);
    assert.ok(data.equals(await readFile(join(folder, "large"))));
  });
});

test("SIGUSR1 asks how far it is; the second SIGINT does not wait for a server that is silent", async () => {
  await using liar = await Liar.start({ lies: { steps: { RETR: ["opening", "connect", "half", "deaf"] } } });
  const words = [LAUNCHER, "get", liar.url("/hello.txt"), "-o", "/dev/null", "-q", ...BARE];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  await liar.hears("RETR");
  child.kill("SIGUSR1");
  const [told] = await once(child.stderr.setEncoding("utf8"), "data");
  assert.match(String(told), /^\/?hello\.txt  /);
  // Two within a moment count as one press.
  const pressing = setInterval(() => child.kill("SIGINT"), 100);
  try {
    assert.deepEqual(await ended, [null, "SIGINT"]);
  } finally {
    clearInterval(pressing);
  }
});
