/** The commands of the client as processes: many files at once, failures for people and programs, what is left and gone on with. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Liar } from "./client/liar.ts";
import { BARE, LAUNCHER, eventsOf, onServer } from "./support/client-stage.ts";
import { type Ran, run } from "./support/run.ts";

const MEBIBYTE = 1_048_576;

/** In which order files begin and end. */
function order({ stdout }: Ran): string {
  return [...stdout.matchAll(/"event":"(start|done)"/g)].map(([, kind]) => kind).join(" ");
}

test("-P runs so many URLs at once, those of the command line and of a list", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    const names = ["a", "b", "c"];
    for (const name of names) await writeFile(join(root, name), randomBytes(200_000));
    const slow = ["--limit-rate", "400K", "--json"];
    await writeFile(join(folder, "list"), names.map(url).join("\n"));
    assert.equal(order(await ferryman("get", ...slow, "-P", "3", "-i", "list")), "start start start done done done");
    assert.equal(
      order(await ferryman("get", ...slow, "-P", "3", ...names.map(url))),
      "start start start done done done",
    );
    assert.equal(order(await ferryman("get", "--json", ...names.map(url))), "start done start done start done");
    for (const name of names) assert.equal((await stat(join(folder, name))).size, 200_000);
  });
});

test("what fails stops nothing else unless it is asked to, and the code tells", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    for (const name of ["a", "b"]) await writeFile(join(root, name), name);
    const urls = [url("a"), url("none"), "http://example.org/", url("b")];
    const ran = await ferryman("get", ...urls);
    assert.equal(ran.code, 1, ran.stderr);
    assert.match(ran.stderr, /2 of 4 failed/);
    assert.deepEqual((await readdir(folder)).toSorted(), ["a", "b"]);
    const told = eventsOf(await ferryman("get", "--json", ...urls)).filter(({ event }) => event === "failed");
    assert.deepEqual(told.map(({ code }) => String(code)).toSorted(), ["NOT_FOUND", "USAGE"]);
    await rm(join(folder, "b"));
    const early = await ferryman("get", "--fail-early", ...urls);
    assert.equal(early.code, 1);
    assert.deepEqual(await readdir(folder), ["a"]);
    assert.match(early.stderr, /Nothing more was begun/);
  });
});

test("--json tells every failure alike: of a transfer, of a login, of a listing, of a mirror, of the command line", async () => {
  await onServer(async ({ url, ferryman }) => {
    const names = ["code", "phase", "retryable", "replyCode", "replyText", "message", "hint"];
    const cases: readonly (readonly [words: readonly string[], code: string, replyCode: number | null])[] = [
      [["get", url("none")], "NOT_FOUND", 550],
      [["ls", url("none")], "NOT_FOUND", 550],
      [["ls", url("").replace("secret", "wrong")], "AUTH", 530],
      [["mirror", url("none"), "here"], "NOT_FOUND", null],
      [["rm", url("none")], "NOT_FOUND", 550],
      [["put", "none", url("none")], "LOCAL_IO", null],
      [["get", "-r", url("none/")], "NOT_FOUND", 550],
      [["cat", "--no-such-flag"], "USAGE", null],
      [["get"], "USAGE", null],
    ];
    for (const [words, code, replyCode] of cases) {
      const ran = await ferryman(...words, "--json");
      const failed = eventsOf(ran).filter(({ event }) => event === "failed");
      assert.equal(failed.length, 1, `${words.join(" ")}: ${ran.stdout}`);
      const [event = {}] = failed;
      assert.deepEqual([event["v"], event["code"], event["replyCode"]], [1, code, replyCode], ran.stdout);
      for (const name of names) assert.ok(name in event, `${words.join(" ")}: ${name}`);
      if (code !== "USAGE") assert.match(String(event["url"] ?? event["name"]), /ftp:\/\/ann@127|none/);
      assert.doesNotMatch(ran.stdout, /secret/);
      assert.notEqual(ran.code, 0);
    }
  });
});

test("Ctrl-C says where the part is, and -c goes on with it", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    const data = randomBytes(4 * MEBIBYTE);
    await writeFile(join(root, "large"), data);
    const words = [LAUNCHER, "get", url("large"), "--limit-rate", "1M", "--json", ...BARE];
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(child, "exit");
    let told = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
    for await (const chunk of child.stdout) if (String(chunk).includes('"progress"')) break;
    child.kill("SIGINT");
    assert.deepEqual(await ended, [130, null]);
    const [part = ""] = await readdir(folder);
    assert.match(part, /^\.large\..*\.part$/);
    assert.ok(told.includes(part), told);
    assert.match(told, /with -c goes on/);
    const ran = await ferryman("get", "-c", "--json", url("large"));
    const done = eventsOf(ran).find(({ event }) => event === "done");
    assert.ok(Number(done?.["resumedAt"]) > 0, ran.stdout);
    assert.deepEqual(await readdir(folder), ["large"]);
    assert.ok(data.equals(await readFile(join(folder, "large"))));
  });
});

test("without -c what is left of a large file is begun anew and not added to", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    const data = randomBytes(2 * MEBIBYTE);
    await writeFile(join(root, "large"), data);
    const words = [LAUNCHER, "get", url("large"), "--limit-rate", "1M", "--json", ...BARE];
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    const ended = once(child, "exit");
    for await (const chunk of child.stdout) if (String(chunk).includes('"progress"')) break;
    child.kill("SIGINT");
    await ended;
    assert.equal((await ferryman("get", url("large"))).code, 0);
    assert.deepEqual(await readdir(folder), ["large"]);
    assert.ok(data.equals(await readFile(join(folder, "large"))));
  });
});

test("places that nothing can be written to are told before anything is fetched", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    await writeFile(join(root, "a"), "a");
    await writeFile(join(folder, "file"), "mine");
    await symlink("away/nothing", join(folder, "dangling"));
    const cases: readonly (readonly [words: readonly string[], told: RegExp])[] = [
      [["-O", "file"], /file is a file, and no folder/],
      [["-o", "file/"], /file\/ is a file, and no folder/],
      [["-o", "none/x"], /cannot write none\/x: there is no such file or folder/],
      [["-o", "x".repeat(300)], /the name is too long/],
      [["-o", "dangling"], /cannot write dangling, which leads to nothing/],
      [["-o", ""], /-o needs a name/],
    ];
    for (const [words, told] of cases) {
      const ran = await ferryman("get", url("a"), ...words);
      assert.notEqual(ran.code, 0, words.join(" "));
      assert.match(ran.stderr, told);
      assert.doesNotMatch(ran.stderr, /not expected/);
    }
    assert.deepEqual((await readdir(folder)).toSorted(), ["dangling", "file"]);
    assert.equal(await readFile(join(folder, "file"), "utf8"), "mine");
    assert.equal((await ferryman("get", url("a"), "-o", "-")).stdout, "a");
    assert.equal((await ferryman("get", url("a"), "-o", "/dev/null")).code, 0);
  });
});

test("attack 64: get -r that had to refuse a name ends with 1 and says so", async () => {
  const listed = ["-rw-r--r-- 1 a a 23 Jan 02  2024 hello.txt", "-rw-r--r-- 1 a a 23 Jan 02  2024 ../escaped"];
  await using liar = await Liar.start({
    lies: { features: ["EPSV", "SIZE"], content: { LIST: () => [Buffer.from(`${listed.join("\r\n")}\r\n`)] } },
  });
  const folder = await mkdtemp(join(tmpdir(), "ferryman-commands-"));
  try {
    const ran = await run(process.execPath, [LAUNCHER, "get", "-r", liar.url("/"), "--no-host-folder", ...BARE], {
      cwd: folder,
    });
    assert.equal(ran.code, 1, ran.stderr);
    assert.match(ran.stderr, /escaped/);
    assert.match(ran.stderr, /1 file fetched; 1 failed/);
    assert.deepEqual(await readdir(folder), ["hello.txt"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a dry run of a mirror names the folder itself, and counts one link as one", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    await writeFile(join(root, "a"), "a");
    await symlink("a", join(root, "b"));
    const { stdout } = await ferryman("mirror", url(""), join(folder, "new"), "-n");
    assert.match(stdout, /^make-folder \.\/ \(the folder itself\)$/m);
    const { stderr } = await ferryman("mirror", url(""), join(folder, "new"));
    assert.doesNotMatch(stderr, /1 (?:links|folders)/);
    assert.match(stderr, /1 folder made/);
  });
});

test("wrong words are answered with what to write", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    await writeFile(join(root, "a"), "a");
    await mkdir(join(root, "sub"));
    await writeFile(join(folder, "list"), "");
    const cases: readonly (readonly [words: readonly string[], told: RegExp])[] = [
      [["help", "nosuch"], /There is no command "nosuch"/],
      [["ls"], /missing required argument 'URL'\nSee: .* ls --help/],
      [["get", "--verfy", "hash", url("a")], /Did you mean --verify/],
      [["get", "fpt://host/a"], /\(implicit TLS\)\. Did you mean "ftp"/],
      [["get", url("a"), "b.txt"], /b\.txt is no URL of a file, and no bookmark\. For a name here: -o b\.txt/],
      [["get", url("")], /ftp:\/\/ann@\S+ names no file; get -r/],
      [["put", url("a"), "b.txt"], /The URL comes last: ferryman put b\.txt/],
      [["put", "b.txt"], /ferryman put b\.txt ftp:/],
      [["cp", url("a"), "b.txt"], /b\.txt names none: ferryman get/],
      [["cp", "b.txt", url("a")], /b\.txt names none: ferryman put/],
      [["cat", "--from", "x", url("a")], /whole number of octets/],
      [["ls", "--sort", "colour", url("")], /Allowed choices are name, time, size/],
      [["get", "-r", "-n", "3", url("")], /-n is for single files/],
      [["watch", "list", url("")], /cannot watch list: it is a file, and a folder is watched/],
      [["get", "-O", "list", url("a")], /list is a file, and no folder/],
      [["get", "-O", "/proc/ferryman", url("a")], /cannot make the folder \/proc\/ferryman/],
      [["get", "-r", "-O", "/proc/ferryman", url("")], /cannot write to the folder \/proc\/ferryman/],
      [["mirror", url(""), "/proc/ferryman/x"], /make the folder \/proc\/ferryman\/x/],
      [["hash", url("a")], /no command "hash"\. Did you mean: .*stat --hash URL/],
      [["sync", "list", url("")], /Did you mean: .* mirror FROM TO/],
      [["nonsense"], /See: ferryman --help/],
      [[url("a")], /Did you mean: .* open ftp:\/\/ann@127/],
      [["get", `${url("")};type=d`], /is the listing of a folder, and no file/],
      [["cp", `${url("a")};type=a`, url("b")], /cp copies octets as they are/],
      [["mirror", `${url("")};type=a`, "m"], /mirror copies octets as they are/],
      [["get", "-r", `${url("")};type=a`], /get -r copies octets as they are/],
      [["get", url("sub")], /it is a folder\. To fetch all that is in it: ferryman get -r/],
      [["rm", url("sub")], /it is a folder\.\nTo remove it with all that is in it: ferryman rm -r/],
      [["ls", "--tls-ca", "nowhere.pem", url("")], /Cannot read nowhere\.pem: there is no such file/],
    ];
    for (const [words, told] of cases) {
      const ran = await ferryman(...words);
      assert.match(ran.stderr, told, words.join(" "));
      assert.notEqual(ran.code, 0, words.join(" "));
      assert.doesNotMatch(ran.stderr, /not expected|secret/, words.join(" "));
    }
  });
});

test("doctor URL says what it tries, as it goes", async () => {
  await onServer(async ({ url, folder }) => {
    // Keeps what it finds: not in the folder of whoever runs the tests.
    const env = { XDG_STATE_HOME: join(folder, "state") };
    const ran = await run(process.execPath, [LAUNCHER, "doctor", url("")], { cwd: folder, env });
    assert.equal(ran.code, 0, ran.stderr);
    assert.ok((ran.stderr.match(/^trying: /gm)?.length ?? 0) > 3, ran.stderr);
    assert.doesNotMatch(ran.stdout, /trying/);
  });
});

test(";type= of a URL counts: text by get, put, cat and lists, names by cat; the flag counts more", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    await mkdir(join(root, "sub"));
    await writeFile(join(root, "sub/b"), "b");
    await writeFile(join(root, "a"), "one\ntwo\n");
    await writeFile(join(folder, "list"), `${url("a")};type=a named\n`);
    const types = async (...words: readonly string[]): Promise<string> => {
      const { code, stderr } = await ferryman(...words, "--debug");
      assert.equal(code, 0, stderr);
      return [...stderr.matchAll(/> TYPE (.)/g)].map(([, type]) => type).join("");
    };
    assert.match(await types("get", `${url("a")};type=a`), /A$/);
    assert.match(await types("cat", `${url("a")};type=a`), /A$/);
    assert.match(await types("put", "a", `${url("c")};type=a`), /A/);
    assert.match(await types("get", "-i", "list"), /A$/);
    assert.doesNotMatch(await types("get", `${url("a")};type=i`), /A/);
    assert.match(await types("get", "-a", `${url("a")};type=i`), /A$/);
    assert.match(await types("open", "-c", "get a -o b", `${url("")};type=a`), /A$/);
    assert.equal(await readFile(join(folder, "named"), "utf8"), "one\ntwo\n");
    assert.equal((await ferryman("cat", `${url("sub")};type=d`)).stdout, "b\n");
  });
});

test("-o with / at its end makes the folder; a file has the same name alone and by a pattern; --max-delete 0 removes nothing", async () => {
  await onServer(async ({ root, folder, url, ferryman }) => {
    await mkdir(join(root, "sub"));
    await writeFile(join(root, "sub/a.txt"), "a");
    assert.equal((await ferryman("get", url("sub/a.txt"), "-o", "new/er/")).code, 0);
    assert.equal(await readFile(join(folder, "new/er/a.txt"), "utf8"), "a");
    for (const name of ["sub/a.txt", "sub/*.txt"]) {
      const started = eventsOf(await ferryman("get", "--json", url(name))).find(({ event }) => event === "start");
      assert.equal(started?.["name"], "sub/a.txt");
    }
    const kept = await ferryman("mirror", url("sub"), "new", "--delete", "--max-delete", "0");
    assert.equal(kept.code, 1, kept.stderr);
    assert.match(kept.stderr, /0 at most may be: nothing extra was deleted/);
    assert.deepEqual((await readdir(join(folder, "new"))).toSorted(), ["a.txt", "er"]);
  });
});
