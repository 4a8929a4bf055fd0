/** Processes that are started confined are: in the kernel's own words, and in what they can and cannot do. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { confinementHere, firstInherited, startConfined } from "../../src/jail/confined-process.ts";
import { openRoots } from "../../src/jail/roots.ts";
import { parsePrivilegeFacts } from "../../src/jail/privilege-facts.ts";
import { LAUNCH_FAILED } from "../../src/jail/terms.ts";
import { NOBODY, PROBE, notRoot, startProbe, temporaryFolder } from "./worker.ts";

const { launcher, missing } = confinementHere();
const noLandlock = notRoot || (launcher && missing.length === 0 ? false : `not confined here: ${missing.join("; ")}`);

/** A root of nobody's in a folder that only root enters; `inside` may be written, `secret` lies beside it. */
function hiddenFolders() {
  const folder = temporaryFolder();
  const parent = join(folder.path, "private");
  const inside = join(parent, "pub");
  mkdirSync(inside, { recursive: true });
  writeFileSync(join(inside, "file"), "content");
  writeFileSync(join(parent, "secret"), "secret");
  chmodSync(join(parent, "secret"), 0o644);
  chownSync(inside, NOBODY.uid, NOBODY.gid);
  chmodSync(inside, 0o755);
  chmodSync(parent, 0o700);
  return { inside, parent, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test(
  "attack 31: a worker has no uid 0, no groups and no capability, in any of its threads",
  { skip: noLandlock },
  async () => {
    const groups = process.getgroups?.() ?? [];
    process.setgroups?.([0, 4, 27]);
    await using probe = await startProbe({ user: NOBODY, landlock: "require" });
    process.setgroups?.(groups);
    const folderOf = `/proc/${probe.child.pid}`;
    const threads = readdirSync(join(folderOf, "task"));
    assert.ok(threads.length > 4, "Node has threads");
    for (const folder of [folderOf, ...threads.map((thread) => join(folderOf, "task", thread))]) {
      const facts = parsePrivilegeFacts(readFileSync(join(folder, "status"), "utf8"));
      assert.deepEqual(facts.uids, Array(4).fill(NOBODY.uid), folder);
      assert.deepEqual(facts.gids, Array(4).fill(NOBODY.gid), folder);
      assert.deepEqual(facts.groups, [], folder);
      for (const [name, set] of Object.entries(facts.capabilities)) assert.deepEqual(set, [], `${folder} ${name}`);
      assert.equal(facts.noNewPrivileges, true, folder);
    }
  },
);

test(
  "attack 31: a worker reads and writes inside its roots, and nothing outside that its user could",
  { skip: noLandlock },
  async () => {
    using folder = temporaryFolder();
    for (const name of ["rw", "ro", "other"]) mkdirSync(join(folder.path, name));
    for (const name of ["", "rw", "ro", "other"]) chmodSync(join(folder.path, name), 0o777);
    for (const name of ["rw", "ro", "other"]) writeFileSync(join(folder.path, name, "f"), name, { mode: 0o644 });
    const at = (...parts: readonly string[]): string => join(folder.path, ...parts);
    await using probe = await startProbe({ user: NOBODY, readWrite: [at("rw")], readOnly: [at("ro")] });
    const outcome = async (what: string, path: string): Promise<string> => (await probe.ask(what, path)).text;
    assert.equal(await outcome("read", at("rw/f")), "rw");
    assert.deepEqual(await probe.ask("write", at("rw/new")), { ok: true, text: "" });
    assert.equal(await outcome("list", at("rw")), "f new");
    assert.equal(await outcome("read", at("ro/f")), "ro");
    assert.equal(await outcome("write", at("ro/new")), "EACCES");
    assert.equal(await outcome("read", at("other/f")), "EACCES");
    assert.equal(await outcome("write", at("other/new")), "EACCES");
    assert.equal(await outcome("list", folder.path), "EACCES");
    for (const path of ["/etc/shadow", "/proc/1/status", "/etc/fstab"]) {
      assert.match(await outcome("read", path), /^(?:EACCES|ENOENT)$/, path);
    }
    assert.equal(await outcome("signal", String(process.pid)), "EPERM");
    assert.equal(await outcome("load", "koffi"), "object");
    assert.deepEqual(readFileSync(at("rw/new"), "utf8"), "written by the worker");
  },
);

for (const landlock of ["require", "off"] as const) {
  test(
    `a folder below one that the worker's user may not enter is served by descriptor (Landlock: ${landlock})`,
    { skip: landlock === "off" ? notRoot : noLandlock },
    async () => {
      using given = hiddenFolders();
      using roots = openRoots([{ path: given.inside, access: "write" }]);
      await using probe = await startProbe({ user: NOBODY, roots, landlock });
      const [root]: { path: string; at: string }[] = JSON.parse((await probe.ask("roots")).text);
      assert.ok(root);
      assert.equal(root.path, given.inside);
      assert.match(root.at, /^\/proc\/self\/fd\/\d+$/);
      assert.equal((await probe.ask("list", root.at)).text, "file");
      assert.equal((await probe.ask("read", join(root.at, "file"))).text, "content");
      assert.equal((await probe.ask("write", join(root.at, "new"))).ok, true);
      assert.equal((await probe.ask("list", given.inside)).text, "EACCES");
      if (landlock === "require") assert.equal((await probe.ask("read", `${root.at}/../secret`)).text, "EACCES");
    },
  );
}

test("a root that is only read cannot be written", { skip: noLandlock }, async () => {
  using given = hiddenFolders();
  using roots = openRoots([{ path: given.inside, access: "read" }]);
  await using probe = await startProbe({ user: NOBODY, roots });
  assert.equal((await probe.ask("read", "/proc/self/fd/4/file")).text, "content");
  assert.equal((await probe.ask("write", "/proc/self/fd/4/new")).text, "EACCES");
});

test("the storage keeps its port's promises in a confined process", { skip: noLandlock }, async () => {
  using given = hiddenFolders();
  using roots = openRoots([{ path: given.inside, access: "write" }]);
  const script = fileURLToPath(new URL("storage-worker.ts", import.meta.url));
  const sources = join(dirname(PROBE), "..", "..", "src");
  const child = startConfined({
    script,
    user: NOBODY,
    roots,
    landlock: "require",
    readOnly: [dirname(PROBE), sources],
    stdio: ["ignore", "pipe", "inherit"],
    nodeArguments: ["--test-reporter=tap"],
  });
  const output: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => output.push(text));
  const [code]: unknown[] = await once(child, "close");
  const text = output.join("");
  assert.equal(code, 0, text);
  const passed = Number(/^# pass (\d+)/m.exec(text)?.[1]);
  assert.ok(passed > 50, `${passed} tests passed`);
  assert.match(text, /^# skipped 0$/m);
});

test("environment, arguments, mask and further descriptors are what was asked for, and no more", async () => {
  const descriptor = openSync(import.meta.dirname, "r");
  process.env["FERRYMAN_TEST_SECRET"] = "do not pass on";
  try {
    const options = { env: { GIVEN: "1" }, inherit: [descriptor], args: ["a b", "ü"], umask: 0o027 };
    await using probe = await startProbe(options);
    const { env, args, umask } = JSON.parse((await probe.ask("describe")).text);
    assert.equal(env.GIVEN, "1");
    assert.deepEqual(args, ["a b", "ü"]);
    // Without the launcher the mask is the broker's.
    if (launcher) assert.equal(umask, 0o027);
    for (const name of ["FERRYMAN_TEST_SECRET", "FERRYMAN_LAUNCH", "NODE_CHANNEL_FD", "HOME"]) {
      assert.equal(env[name], undefined, name);
    }
    assert.equal((await probe.ask("descriptor", String(firstInherited(0)))).text, "true");
  } finally {
    delete process.env["FERRYMAN_TEST_SECRET"];
    closeSync(descriptor);
  }
});

test("a capability that is kept is the only one", { skip: noLandlock }, async () => {
  await using probe = await startProbe({ user: NOBODY, keepCapabilities: ["NET_BIND_SERVICE"] });
  const { capabilities } = parsePrivilegeFacts(readFileSync(`/proc/${probe.child.pid}/status`, "utf8"));
  for (const [name, set] of Object.entries(capabilities)) assert.deepEqual(set, ["NET_BIND_SERVICE"], name);
});

test("without koffi the user still changes, and no group is left", { skip: notRoot }, async () => {
  process.env["FERRYMAN_FFI"] = "off";
  try {
    assert.match(confinementHere().missing.join(), /koffi/);
    await using probe = await startProbe({ user: NOBODY });
    const facts = parsePrivilegeFacts(readFileSync(`/proc/${probe.child.pid}/status`, "utf8"));
    assert.deepEqual([facts.uids[0], facts.groups, facts.capabilities.effective], [NOBODY.uid, [], []]);
    assert.throws(() => startConfined({ script: PROBE, landlock: "require" }), /koffi/);
  } finally {
    delete process.env["FERRYMAN_FFI"];
  }
});

function bad(options: object, words: RegExp): void {
  assert.throws(() => startConfined({ script: PROBE, ...options }), words);
}

test("terms that cannot be meant are refused in words", () => {
  bad({ script: "worker.ts" }, /absolute path/);
  bad({ readOnly: ["relative"] }, /no absolute path/);
  bad({ env: { LD_PRELOAD: "x" } }, /LD_PRELOAD/);
  bad({ env: { NODE_OPTIONS: "x" } }, /NODE_OPTIONS/);
  bad({ readOnly: [`/${"x".repeat(200_000)}`] }, /fewer folders/);
  if (process.getuid?.() === 0) bad({ user: { uid: 0, gid: 0 } }, /uid|user/);
  else bad({ user: { uid: 1, gid: 1 } }, /only root/);
});

test("a launch that fails runs nothing, and says why", { skip: noLandlock }, async () => {
  using given = hiddenFolders();
  const script = join(given.parent, "worker.mjs");
  writeFileSync(script, "process.send('ran')");
  for (const options of [{ script }, { script: PROBE, readWrite: ["/no/such/folder"] }]) {
    const child = startConfined({ ...options, user: NOBODY, stdio: ["ignore", "ignore", "pipe"] });
    const faults: string[] = [];
    const messages: unknown[] = [];
    child.stderr?.setEncoding("utf8").on("data", (text: string) => faults.push(text));
    child.on("message", (message) => messages.push(message));
    const [code]: unknown[] = await once(child, "close");
    assert.equal(code, LAUNCH_FAILED);
    assert.match(faults.join(""), /cannot start a confined process: (?:user 65534 may not read|a path of the terms)/);
    assert.deepEqual(messages, []);
  }
});
