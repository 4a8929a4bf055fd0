/** Attacks by the order and the kind of commands, at the wire: 11, 12, 17, 19, 26. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { array, asyncProperty, constantFrom, assert as holds } from "fast-check";
import { COMMANDS } from "../../src/server/commands/index.ts";
import { SITE_COMMANDS } from "../../src/server/commands/site/index.ts";
import { snapshot } from "../support/attack.ts";
import { annStore, startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

for (const request of [
  "GET / HTTP/1.1",
  "POST /x HTTP/1.0",
  "PUT / HTTP/1.1",
  "HEAD / HTTP/1.1",
  "get /",
  "CONNECT a:1 HTTP/1.1",
]) {
  test(`attack 11: a request of a web browser ends the connection: ${request}`, async () => {
    await using server = await startServer();
    using wire = await Wire.open(server.port);
    wire.socket.write(`${request}\r\nHost: x\r\n\r\nUSER ann\r\nPASS secret\r\nMKD made\r\n`);
    await wire.expect(421);
    await assert.rejects(wire.reply(), /ended without a reply/);
    assert.deepEqual(readdirSync(server.root), []);
    // One line was read, and nothing after it.
    assert.deepEqual(
      server.events.flatMap((event) => (event.type === "command" ? [event.code] : [])),
      [421],
    );
  });
}

const SCRIPT = "<script>alert(1)</script>";

test("attack 12: no reply repeats an unknown verb or a script", async () => {
  await using server = await startServer();
  const lines = [
    SCRIPT,
    `${SCRIPT} ${SCRIPT}`,
    "QWERTZUIOP",
    `QWERTZUIOP ${SCRIPT}`,
    "QWERTZUIOPQWERTZUIOP",
    "\xa7QWERTZUIOP",
    ...[...COMMANDS.keys()].filter((verb) => verb !== "QUIT").map((verb) => `${verb} ${SCRIPT}`),
    ...[...SITE_COMMANDS.keys()].map((verb) => `SITE ${verb} ${SCRIPT}`),
    `SITE ${SCRIPT}`,
    `HELP QWERTZUIOP`,
    `OPTS ${SCRIPT} ${SCRIPT}`,
    `OPTS HASH QWERTZUIOP`,
  ];
  for (const signedIn of [false, true]) {
    for (const line of lines) {
      // What makes something by this name says that name: that is no unknown verb, and comes quoted.
      if (signedIn && /^X?MKD|^(?:PASS|USER|REIN)/.test(line)) continue;
      if (!signedIn && line.startsWith("PASS")) continue;
      using wire = signedIn ? await Wire.login(server.port) : await Wire.open(server.port);
      const { code, lines: texts } = await wire.ask(line);
      const text = texts.join("\n").toLowerCase();
      assert.doesNotMatch(text, /script|alert|qwertz/, `${line}: ${code} ${text}`);
    }
  }
});

/** What one may say before signing in, as the RFCs have it. All else is 530. */
const BEFORE_LOGIN = new Set([
  "AUTH",
  "PBSZ",
  "PROT",
  "USER",
  "PASS",
  "ACCT",
  "QUIT",
  "REIN",
  "HELP",
  "FEAT",
  "SYST",
  "NOOP",
  "STAT",
  "HOST",
  "CLNT",
  "CSID",
  "LANG",
  "OPTS",
]);
const ARGUMENTS = [
  "",
  "/",
  "file.txt",
  "600 file.txt",
  "20200101000000 file.txt",
  "127,0,0,1,8,73",
  "|1|127.0.0.1|2121|",
  "5",
  "UNIX.mode=777; file.txt",
];

function fitsBeforeLogin(code: number, { verb, argument }: { verb: string; argument: string }): boolean {
  if (!BEFORE_LOGIN.has(verb) || (verb === "STAT" && argument !== "")) return code === 530;
  if (verb === "PASS" || verb === "ACCT") return code === 503;
  if (verb === "USER") return code === 331 || code === 501;
  return code !== 230 && (code < 300 || code >= 400);
}

test("attack 17: before a login no command does anything but what belongs to signing in", async () => {
  await using server = await startServer();
  writeFileSync(join(server.root, "file.txt"), "text");
  mkdirSync(join(server.root, "folder"));
  const before = snapshot(server.root);
  const verbs = [...COMMANDS.keys(), ...[...SITE_COMMANDS.keys()].map((verb) => `SITE ${verb}`)];
  for (const state of ["greeted", "named"]) {
    // A wrong password is held back, more each time; attack 37 is about that.
    for (const verb of verbs.filter((each) => each !== "PASS" || state !== "named")) {
      using wire = await Wire.open(server.port);
      for (const argument of ARGUMENTS) {
        if (state === "named") await wire.expect(331, "USER ann");
        const line = argument === "" ? verb : `${verb} ${argument}`;
        const { code } = await wire.ask(line);
        assert.ok(fitsBeforeLogin(code, { verb, argument }), `${state}: ${line}: ${code}`);
        if (verb === "QUIT") break;
      }
    }
  }
  using early = await Wire.open(server.port);
  await early.expect(530, "OPTS HASH SHA-1");
  await early.expect(530, "OPTS MLST size;");
  assert.deepEqual(snapshot(server.root), before);
  const done = server.events.filter(
    ({ type }) => type === "file.changed" || type === "transfer" || type === "login.accepted",
  );
  assert.deepEqual(done, []);
});

/** What the model of attack 19 remembers: files with their content, and the halves of pairs. */
type Model = {
  readonly files: Map<string, string>;
  rename: string | undefined;
  copy: string | undefined;
  restart: number;
};

function freshModel(): Model {
  return { files: new Map([["a", TEXT]]), rename: undefined, copy: undefined, restart: 0 };
}

const TEXT = "0123456789";
const TAIL = "tail--";
const MOVES = [
  "RNFR a",
  "RNFR b",
  "RNFR gone",
  "RNTO a",
  "RNTO b",
  "REST 4",
  "REST x",
  "RETR",
  "NOOP",
  "PWD",
  "TYPE I",
  "FEAT",
  "SITE CPFR a",
  "SITE CPTO b",
  "SITE NONE",
  "XX",
  "DELE b",
  "CWD /",
  "RNTO",
  "STOR b",
] as const;

/** What the server must answer: the code, and for a download the content. Changes the model to what must hold then. */
function expected(move: string, model: Model): string {
  const [verb = "", argument = ""] = move.replace("SITE CP", "CP").split(" ");
  const before = { ...model };
  // Some commands may stand between the halves: PASV between REST and RETR must, NOOP and FEAT may.
  const keeps = COMMANDS.get(verb)?.keepsPending === true;
  if (!keeps) Object.assign(model, { rename: undefined, copy: undefined, restart: 0 });
  return RULES[verb]?.({ argument, before, model }) ?? PLAIN[verb] ?? "500";
}

type Step = { readonly argument: string; readonly before: Readonly<Model>; readonly model: Model };

const RULES: Readonly<Record<string, (step: Step) => string>> = {
  RNFR: ({ argument, model }) => {
    if (!model.files.has(argument)) return "550";
    model.rename = argument;
    return "350";
  },
  CPFR: ({ argument, model }) => {
    if (!model.files.has(argument)) return "550";
    model.copy = argument;
    return "350";
  },
  RNTO: ({ argument, before: { rename, files } }) => paired(rename, { to: argument, files, moves: true }),
  CPTO: ({ argument, before: { copy, files } }) => paired(copy, { to: argument, files, moves: false }),
  REST: ({ argument, model }) => {
    if (argument !== "4") return "501";
    model.restart = 4;
    return "350";
  },
  RETR: ({ before: { files, restart } }) => (files.has("a") ? `226 ${files.get("a")?.slice(restart) ?? ""}` : "550"),
  STOR: ({ before: { files, restart } }) => {
    if (restart > 0 && !files.has("b")) return "550";
    files.set("b", `${files.get("b")?.slice(0, restart) ?? ""}${TAIL}`);
    return "226";
  },
  DELE: ({ model }) => (model.files.delete("b") ? "250" : "550"),
};

const PLAIN: Readonly<Record<string, string>> = {
  NOOP: "200",
  PWD: "257",
  TYPE: "200",
  FEAT: "211",
  CWD: "250",
  SITE: "504",
};

type Pair = { readonly to: string; readonly files: Map<string, string>; readonly moves: boolean };

function paired(from: string | undefined, { to, files, moves }: Pair): string {
  if (from === undefined) return "503";
  if (to === "") return "501";
  const content = files.get(from) ?? "";
  if (moves) files.delete(from);
  files.set(to, content);
  return "250";
}

async function say(wire: Wire, move: string): Promise<string> {
  if (move.startsWith("STOR")) return `${(await wire.store(move, TAIL)).at(-1)}`;
  if (move !== "RETR") return `${(await wire.ask(move)).code}`;
  const { data, codes } = await wire.fetch("RETR a");
  return codes.at(-1) === 226 ? `226 ${data.toString()}` : `${codes.at(-1)}`;
}

function contentsOf(root: string): ReadonlyMap<string, string> {
  const names = readdirSync(root).filter((name) => !name.startsWith("."));
  return new Map(names.map((name) => [name, readFileSync(join(root, name), "utf8")]));
}

test("attack 19: any order of commands has one answer each, and pairs are pairs only side by side", async () => {
  await using server = await startServer();
  await holds(
    asyncProperty(array(constantFrom(...MOVES), { minLength: 1, maxLength: 40 }), async (moves) => {
      for (const name of readdirSync(server.root)) if (!name.startsWith(".")) rmSync(join(server.root, name));
      writeFileSync(join(server.root, "a"), TEXT);
      const model = freshModel();
      using wire = await Wire.login(server.port);
      await wire.expect(200, "TYPE I");
      for (const [at, move] of moves.entries()) {
        const right = expected(move, model);
        assert.equal(await say(wire, move), right, moves.slice(0, at + 1).join(", "));
      }
      assert.deepEqual(contentsOf(server.root), model.files);
    }),
    { numRuns: 40 },
  );
});

test("attack 19: lines sent all at once are answered in order, one final reply each", async () => {
  await using server = await startServer();
  const lines = MOVES.filter((move) => move !== "RETR" && !move.startsWith("STOR"));
  await holds(
    asyncProperty(array(constantFrom(...lines), { minLength: 1, maxLength: 120 }), async (moves) => {
      writeFileSync(join(server.root, "a"), TEXT);
      rmSync(join(server.root, "b"), { force: true });
      const model = freshModel();
      using wire = await Wire.login(server.port);
      wire.socket.write([...moves, "QUIT", ""].join("\r\n"));
      const codes: number[] = [];
      while (codes.at(-1) !== 221) codes.push((await wire.reply()).code);
      assert.deepEqual(codes, [...moves.map((move) => Number(expected(move, model))), 221]);
    }),
    { numRuns: 40 },
  );
});

test("attack 19: REST serves one transfer and no other", async () => {
  await using server = await startServer();
  writeFileSync(join(server.root, "a"), TEXT);
  using wire = await Wire.login(server.port);
  await wire.expect(200, "TYPE I");
  await wire.expect(350, "REST 4");
  assert.equal((await wire.fetch("RETR a")).data.toString(), TEXT.slice(4));
  assert.equal((await wire.fetch("RETR a")).data.toString(), TEXT);
  await wire.expect(350, "REST 4");
  await wire.expect(550, "DELE gone");
  assert.equal((await wire.fetch("RETR a")).data.toString(), TEXT);
  await wire.expect(350, "REST 4");
  await wire.expect(331, "USER ann");
  await wire.expect(230, "PASS secret");
  await wire.expect(200, "TYPE I");
  assert.equal((await wire.fetch("RETR a")).data.toString(), TEXT);
});

test("attack 26: SITE verbs stay in the root like all others", async () => {
  const outer = mkdtempSync(join(tmpdir(), "ferryman-test-"));
  try {
    const home = join(outer, "home");
    mkdirSync(home);
    mkdirSync(join(outer, "other"));
    writeFileSync(join(outer, "other", "private.txt"), "private");
    writeFileSync(join(home, "mine.txt"), "mine");
    await using server = await startServer({ accounts: [annStore(home)] });
    using wire = await Wire.login(server.port);
    const outside = (): readonly string[] => snapshot(outer).filter((line) => !line.startsWith("home"));
    const before = outside();
    const ups = ["../other", "/../other", "../../../../other", "./.././other", join(outer, "other")];
    for (const up of ups) {
      for (const line of [
        `SITE MKDIR ${up}/made`,
        `SITE RMDIR ${up}`,
        `SITE CHMOD 777 ${up}/private.txt`,
        `SITE UTIME 20200101000000 ${up}/private.txt`,
      ]) {
        const { code } = await wire.ask(line);
        assert.equal(code, 550, line);
      }
      await wire.expect(550, `SITE CPFR ${up}/private.txt`);
      await wire.expect(350, "SITE CPFR mine.txt");
      await wire.expect(550, `SITE CPTO ${up}/private.txt`);
    }
    const targets = [
      ...ups.map((up) => `${up}/private.txt`),
      "../other",
      outer,
      "/etc/passwd",
      "/proc/self/root/etc/passwd",
      "../home/../other/private.txt",
    ];
    for (const [index, target] of targets.entries()) {
      await wire.ask(`SITE SYMLINK ${target} link${index}`);
      for (const path of [`link${index}`, `link${index}/private.txt`, `link${index}/../private.txt`]) {
        assert.deepEqual((await wire.fetch(`RETR ${path}`)).codes, [550], `${target}, ${path}`);
        await wire.expect(550, `SITE CPFR ${path}`);
      }
      await wire.ask(`SITE CHMOD 777 link${index}`);
      await wire.ask(`SITE UTIME 20200101000000 link${index}`);
      await wire.ask(`SITE MKDIR link${index}/made`);
      await wire.store(`STOR link${index}/made.txt`, "x");
    }
    assert.deepEqual(outside(), before);
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
});
