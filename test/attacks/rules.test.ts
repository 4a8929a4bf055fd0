/** Attacks on folder rules, at the wire: no verb (18) and no spelling (29) may get around them, or tell of what is there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { array, asyncProperty, constantFrom, assert as holds } from "fast-check";
import type { Account, Right } from "../../src/account/account.ts";
import { COMMANDS } from "../../src/server/commands/index.ts";
import { SITE_COMMANDS } from "../../src/server/commands/site/index.ts";
import { snapshot } from "../support/attack.ts";
import { type TestServer, startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

const NOTHING: ReadonlySet<Right> = new Set();
const ACCOUNT: Partial<Account> = {
  folders: [
    { pattern: "/secret", rights: NOTHING },
    { pattern: "/top/inner/hidden", rights: NOTHING },
    { pattern: "*.key", rights: NOTHING },
    { pattern: "/incoming/*", rights: new Set<Right>(["write"]) },
  ],
};
const PLAN = "the plan";

async function guarded(): Promise<TestServer> {
  const server = await startServer({ account: ACCOUNT });
  for (const folder of ["secret/deep", "top/inner/hidden", "incoming", "public"]) {
    mkdirSync(join(server.root, folder), { recursive: true });
  }
  for (const file of [
    "secret/plan.txt",
    "secret/deep/plan.txt",
    "secret/.message",
    "top/inner/hidden/plan.txt",
    "public/my.key",
    "incoming/old.txt",
  ]) {
    writeFileSync(join(server.root, file), PLAN);
  }
  writeFileSync(join(server.root, "public", "open.txt"), "open");
  return server;
}

/** Every way to name a path to the server: `$` stands for it. The verb is the first word, or SITE and the second. */
const UPLOADS = ["STOR $", "APPE $", "STOU $"];
const DOWNLOADS = ["RETR $", "LIST $", "LIST -la $", "LIST -R $", "NLST $", "MLSD $"];
const QUERIES = [
  "MLST $",
  "STAT $",
  "STAT -la $",
  "SIZE $",
  "MDTM $",
  "HASH $",
  "XCRC $",
  "XMD5 $",
  "XSHA $",
  "XSHA1 $",
  "XSHA256 $",
  "XSHA512 $",
  "XMD5 $ 0 4",
  'XMD5 "$" 0 4',
  "DSIZ $",
  "AVBL $",
  "CWD $",
  "XCWD $",
  "SITE CPFR $",
];
const CHANGES = [
  "DELE $",
  "MKD $",
  "XMKD $",
  "RMD $",
  "XRMD $",
  "RMDA $",
  "RNFR $",
  "MDTM 20200101000000 $",
  "MFMT 20200101000000 $",
  "MFCT 20200101000000 $",
  "MFF Modify=20200101000000; $",
  "MFF UNIX.mode=777; $",
  "SITE CHMOD 777 $",
  "SITE MKDIR $",
  "SITE RMDIR $",
  "SITE SYMLINK target $",
  "SITE UTIME 20200101000000 $",
  "SITE UTIME $ 20200101000000 20200101000000 20200101000000 UTC",
];
const SECOND_HALVES = ["RNTO $", "SITE CPTO $"];
const ALL = [...UPLOADS, ...DOWNLOADS, ...QUERIES, ...CHANGES, ...SECOND_HALVES];

/** Those that name no path. A verb that is neither here nor above fails the first test, so none is forgotten. */
const WITHOUT_PATH = new Set([
  "ABOR",
  "AUTH",
  "CCC",
  "PBSZ",
  "PROT",
  "ACCT",
  "ALLO",
  "CDUP",
  "XCUP",
  "CLNT",
  "CSID",
  "EPRT",
  "EPSV",
  "FEAT",
  "HELP",
  "HOST",
  "LANG",
  "MODE",
  "NOOP",
  "OPTS",
  "PASS",
  "PASV",
  "PORT",
  "PWD",
  "XPWD",
  "QUIT",
  "RANG",
  "REIN",
  "REST",
  "SITE",
  "SMNT",
  "STRU",
  "SYST",
  "TYPE",
  "USER",
  "SITE HELP",
  "SITE IDLE",
  "SITE UMASK",
  "SITE WHO",
]);

type Answer = { readonly code: number; readonly text: string };

/** Asks by one of the forms above. @returns the last reply, and all that came by it. */
async function ask(wire: Wire, form: string, path: string): Promise<Answer> {
  const line = form.replace("$", () => path);
  if (form === "RNTO $") await wire.expect(350, "RNFR /public/open.txt");
  if (form === "SITE CPTO $") await wire.expect(350, "SITE CPFR /public/open.txt");
  if (!UPLOADS.includes(form) && !DOWNLOADS.includes(form)) {
    const { code, lines } = await wire.ask(line);
    return { code, text: lines.join("\n") };
  }
  const socket = await wire.passive();
  wire.send(line);
  let received = "";
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
  });
  socket.end(UPLOADS.includes(form) ? "planted" : "");
  const first = await wire.reply();
  const last = first.code < 200 ? await wire.reply() : first;
  // The reply may overtake the last octets of the data connection: its end tells that all is here.
  if (first.code < 200 && last.code === 226 && !socket.readableEnded) await once(socket, "end");
  socket.destroy();
  return { code: last.code, text: `${first.lines.join("\n")}${last.lines.join("\n")}${received}` };
}

function verbOf(form: string): string {
  return form
    .split(" ")
    .slice(0, form.startsWith("SITE ") ? 2 : 1)
    .join(" ");
}

test("attack 18: every verb is known to take a path or to take none", () => {
  const covered = new Set([...ALL.map(verbOf), ...WITHOUT_PATH]);
  const there = [...COMMANDS.keys(), ...[...SITE_COMMANDS.keys()].map((verb) => `SITE ${verb}`)];
  assert.deepEqual(
    there.filter((verb) => !covered.has(verb)),
    [],
  );
});

/** Spellings of `/secret/…` from the folder `/public`. */
const BEFORE = constantFrom(
  "/",
  "//",
  "/./",
  "/../",
  "../",
  "./../",
  "..//",
  "/public/../",
  "../public/./../",
  "/gone/../",
  "../../../",
  "/top/inner/../../",
);
const BETWEEN = constantFrom("/", "//", "/./", "/deep/../", "/gone/..//", "/../secret/");

test("attack 18: under a rule without rights no verb, by no spelling, does or tells anything", async () => {
  await using server = await guarded();
  const before = snapshot(server.root);
  using wire = await Wire.login(server.port);
  await wire.expect(200, "TYPE I");
  await wire.expect(250, "CWD /public");
  const spelling = array(BETWEEN, { minLength: 1, maxLength: 3 });
  for (const form of ALL) {
    await holds(
      asyncProperty(BEFORE, spelling, async (start, seams) => {
        const folder = `${start}secret${seams.join("").replaceAll("//", "/")}`.replace(/\/$/, "") + (seams[0] ?? "/");
        const there = await ask(wire, form, `${folder}plan.txt`);
        const gone = await ask(wire, form, `${folder}gone.txt`);
        assert.equal(there.code, 550, `${form} with ${folder}: ${there.text}`);
        assert.doesNotMatch(there.text, /the plan/);
        // Not even whether it is there.
        assert.equal(gone.code, there.code);
        assert.equal(gone.text, there.text);
      }),
      { numRuns: 6 },
    );
    for (const path of [
      "/secret",
      "/secret/",
      "/secret/deep",
      "/top/inner/hidden/plan.txt",
      "my.key",
      "../public/my.key",
    ]) {
      const { code, text } = await ask(wire, form, path);
      assert.equal(code, 550, `${form} with ${path}: ${text}`);
    }
  }
  assert.deepEqual(snapshot(server.root), before);
});

test("attack 18: where one may only write, no verb reads, lists, changes or tells, and new files come in", async () => {
  await using server = await guarded();
  const before = snapshot(server.root);
  using wire = await Wire.login(server.port);
  await wire.expect(200, "TYPE I");
  // AVBL tells of the disk alone; STOU takes another name. Both are what the right to write is for.
  for (const form of ALL.filter((each) => each !== "AVBL $" && each !== "STOU $")) {
    const { code, text } = await ask(wire, form, "/incoming/old.txt");
    // Whether a name is taken shows in a STOR that is refused; what is under it does not.
    assert.ok(code === 550, `${form}: ${code} ${text}`);
    assert.doesNotMatch(text, /the plan/, form);
  }
  assert.deepEqual(snapshot(server.root), before);
  assert.deepEqual(await wire.store("STOR /incoming/new.txt", "new"), [150, 226]);
  assert.deepEqual((await wire.fetch("RETR /incoming/new.txt")).codes, [550]);
  assert.equal((await wire.store("STOU /incoming/old.txt", "more")).at(-1), 226);
  assert.equal(readFileSync(join(server.root, "incoming", "old.txt"), "utf8"), PLAN);
});

const PATTERNS = [
  "/s*/plan.txt",
  "/s*/*",
  "/[s]ecret/*",
  "/{secret,public}/plan*",
  "/?ecret/*",
  "/*/*.key",
  "/public/../s*/*",
  "s*",
  "/secret/*",
  "/s*/../secret/*",
  "/top/*/*/*",
  "/*/plan.txt",
  "\\/secret/*",
  "/secre\\t/*",
];

test("attack 29: no pattern, case or other spelling shows what a rule hides", async () => {
  await using server = await guarded();
  const before = snapshot(server.root);
  using wire = await Wire.login(server.port);
  for (const pattern of PATTERNS) {
    for (const form of ["LIST $", "LIST -laR $", "NLST $", "STAT $", "STAT -R $"]) {
      const { text } = await ask(wire, form, pattern);
      assert.doesNotMatch(text, /plan\.txt/, `${form} with ${pattern}`);
    }
  }
  const everything = await ask(wire, "LIST $", "-laR /");
  assert.match(everything.text, /open\.txt/);
  assert.doesNotMatch(everything.text, /plan\.txt/);
  for (const path of [
    "/SECRET/plan.txt",
    "/Secret/plan.txt",
    "/secret./plan.txt",
    "/secret /plan.txt",
    "/secret\\plan.txt",
    "\\secret\\plan.txt",
    "/secret%2fplan.txt",
    "/secret/plan.txt/",
    "/secret/plan.txt/.",
    "/s\u0065\u0301cret/plan.txt",
  ]) {
    assert.deepEqual((await wire.fetch(`RETR ${path}`)).codes, [550], path);
  }
  assert.deepEqual(snapshot(server.root), before);
});

test("attack 29: renaming, copying and linking are no way around a rule", async () => {
  await using server = await guarded();
  const before = snapshot(server.root);
  using wire = await Wire.login(server.port);
  for (const path of [
    "/secret",
    "/secret/plan.txt",
    "/top",
    "/top/inner",
    "/top/inner/hidden",
    "/public/my.key",
    "/incoming/old.txt",
  ]) {
    await wire.expect(550, `RNFR ${path}`);
    await wire.expect(503, "RNTO /public/taken");
  }
  for (const path of ["/secret/x", "/public/x.key", "/top/inner/hidden/x"]) {
    await wire.expect(350, "RNFR /public/open.txt");
    await wire.expect(550, `RNTO ${path}`);
  }
  // A folder of one's own under the name of one that a rule is about, or over it.
  await wire.expect(257, "MKD /mine");
  for (const path of ["/top", "/secret", "/top/inner"]) {
    await wire.expect(350, "RNFR /mine");
    await wire.expect(550, `RNTO ${path}`);
  }
  await wire.expect(250, "RMD /mine");
  for (const target of ["secret", "/secret", "../secret/plan.txt", "top/inner/hidden"]) {
    await wire.expect(550, `SITE SYMLINK ${target} /public/link`);
  }
  assert.deepEqual(snapshot(server.root), before);
});

test("attack 29: a link that somebody else made leads around no rule", async () => {
  await using server = await guarded();
  symlinkSync("../secret", join(server.root, "public", "folder-link"));
  symlinkSync("../secret/plan.txt", join(server.root, "public", "file-link"));
  symlinkSync(".", join(server.root, "self"));
  // The name of the hidden folder is itself a link, to where no rule is about.
  renameSync(join(server.root, "top", "inner", "hidden"), join(server.root, "public", "moved"));
  symlinkSync("../../public/moved", join(server.root, "top", "inner", "hidden"));
  using wire = await Wire.login(server.port);
  for (const path of [
    "/public/folder-link/plan.txt",
    "/public/file-link",
    "/self/secret/plan.txt",
    "/self/self/secret/plan.txt",
    "/top/inner/hidden/plan.txt",
  ]) {
    assert.deepEqual((await wire.fetch(`RETR ${path}`)).codes, [550], path);
    await wire.expect(550, `SITE CPFR ${path}`);
    assert.deepEqual((await wire.store(`APPE ${path}`, "x")).at(-1), 550, path);
  }
  assert.equal(readFileSync(join(server.root, "secret", "plan.txt"), "utf8"), PLAN);
});
