/** The load generator's two makes against our server: each mode moves exactly what it says. Measures rest on that. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type LoadGenerator, loadGenerator, nodeLoadGenerator } from "../../bench/load/build.ts";
import { fails, missing, ok, run } from "../support/run.ts";
import { type TestServer, startServer } from "../support/server.ts";

/** Octets: several records of TLS, and the last one not full. */
const BIG = 1_000_003;
const SMALL_FILES = 9;
const SKIP = missing("gcc");

async function serveFiles(): Promise<TestServer> {
  const served = await startServer({ tls: {} });
  await writeFile(join(served.root, "big.bin"), randomBytes(BIG));
  // Its last record over TLS 1.3 is as long as a farewell.
  await writeFile(join(served.root, "two.bin"), "hi");
  await mkdir(join(served.root, "many"));
  for (let at = 0; at < SMALL_FILES; at += 1) await writeFile(join(served.root, "many", `f${at}`), "x".repeat(at));
  return served;
}

async function load(
  { command }: LoadGenerator,
  { port, line }: { port: number; line: string },
): ReturnType<typeof run> {
  const [program = "", ...first] = command;
  const who = ["--port", String(port), "--user", "ann", "--pass", "secret", "--timeout", "50"];
  return run(program, [...first, ...who, ...line.split(" ")]);
}

/** Numbers that depend on the machine must be there; the others must be these. */
async function expectResult(
  running: ReturnType<typeof run>,
  expected: Readonly<Record<string, unknown>>,
): Promise<void> {
  const printed = await ok(running);
  const result: unknown = JSON.parse(printed);
  assert.equal(printed.trim().split("\n").length, 1);
  assert.partialDeepStrictEqual(result, expected);
  assert.ok(typeof result === "object" && result !== null && "seconds" in result && Number(result.seconds) > 0);
}

const smallOctets = (SMALL_FILES * (SMALL_FILES - 1)) / 2;

/** What each transferring mode must tell; MLSD has a line for the folder itself. */
const MODES = [
  ["retr --path big.bin --sessions 2 --repeat 2", { bytes: 4 * BIG, operations: 4, sessions: 2, handshakes: 4 }],
  ["retr --path two.bin --repeat 3 --pasv", { bytes: 6, operations: 3, handshakes: 3 }],
  ["retr --path big.bin --decrypt", { bytes: BIG, operations: 1, handshakes: 1 }],
  ["stor --path up --sessions 2 --size 1500001", { bytes: 3_000_002, operations: 2, handshakes: 2 }],
  ["stor --path none%d --size 0", { bytes: 0, operations: 1, handshakes: 1 }],
  [
    `small-retr --path many/f%d --files ${SMALL_FILES} --sessions 2`,
    { bytes: smallOctets, operations: SMALL_FILES, handshakes: SMALL_FILES },
  ],
  ["small-stor --path s%d --files 5 --sessions 2 --size 77", { bytes: 385, operations: 5, handshakes: 5 }],
  ["list --verb MLSD --path many --repeat 2", { lines: 2 * (SMALL_FILES + 1), operations: 2, handshakes: 2 }],
  ["list --verb NLST --path many", { lines: SMALL_FILES, operations: 1, handshakes: 1 }],
] as const;

for (const kind of ["c", "node"] as const) {
  const generator = async (): Promise<LoadGenerator> => (kind === "c" ? loadGenerator() : nodeLoadGenerator());
  suite(`load generator, ${kind}`, { skip: kind === "c" ? SKIP : false }, () => {
    for (const way of ["", " --tls", " --tls --tls12"]) {
      test(`transfers and listings${way}`, async (t) => {
        await using served = await serveFiles();
        const made = await generator();
        if (way !== "" && !made.tls)
          return t.skip("the headers of OpenSSL are not installed (apt-get install libssl-dev)");
        // Starting Node is most of what its turns cost; of TLS 1.2 a glimpse is enough there.
        const short = kind === "node" && way.endsWith("12");
        const modes = short ? MODES.filter(([line]) => !line.startsWith("list") && !line.includes("--decrypt")) : MODES;
        for (const [line, { handshakes, ...expected }] of modes) {
          const mode = line.split(" ", 1)[0];
          const resumed = way === "" ? {} : { handshakes, resumed: handshakes };
          await expectResult(load(made, { port: served.port, line: line + way }), { mode, ...expected, ...resumed });
        }
        const sizes = ["up.0", "up.1", "none0", "s0", "s4"].map(
          async (name) => (await stat(join(served.root, name))).size,
        );
        assert.deepEqual(await Promise.all(sizes), [1_500_001, 1_500_001, 0, 77, 77]);
        assert.equal((await readdir(served.root)).filter((name) => /^s\d$/.test(name)).length, 5);
        const transfers = served.events.filter(({ type }) => type === "transfer");
        assert.ok(transfers.length > 0);
        assert.deepEqual(
          served.events.filter(({ type }) => type === "server.fault"),
          [],
        );
      });
    }

    test("logins, commands, idle sessions and the probe beside them", async (t) => {
      await using served = await serveFiles();
      const made = await generator();
      const { port } = served;
      for (const way of made.tls ? ["", " --tls"] : [""]) {
        const secured = way === "" ? {} : { handshakes: 6, resumed: 0 };
        const login = { mode: "login", operations: 6, ...secured };
        await expectResult(load(made, { port, line: `login --sessions 2 --repeat 3${way}` }), login);
        const words = ["command", "--command", "HELP SITE", "--repeat", "3"];
        const [program = "", ...first] = made.command;
        const asked = run(program, [...first, ...words, "--port", String(port), ...way.split(" ").filter(Boolean)]);
        await expectResult(asked, { mode: "command", operations: 3 });
        await expectResult(load(made, { port, line: `idle --sessions 5${way}` }), { mode: "idle", ready: 5 });
        const probe = `noop --repeat 5 --idle 3 --busy 2 --path big.bin${way}`;
        await expectResult(load(made, { port, line: probe }), { mode: "noop", operations: 5 });
      }
      if (!made.tls) t.diagnostic("without TLS");
    });

    test("loopback without FTP", async () => {
      const folder = await mkdtemp(join(tmpdir(), "ferryman-load-"));
      try {
        const path = join(folder, "raw");
        const made = await generator();
        const up = load(made, { port: 1, line: `raw-up --path ${path} --size ${BIG}` });
        await expectResult(up, { mode: "raw-up", bytes: BIG });
        assert.equal((await readFile(path)).length, BIG);
        const down = load(made, { port: 1, line: `raw-down --path ${path}` });
        await expectResult(down, { mode: "raw-down", bytes: BIG });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    test("a fault is one line that has the server's reply", async () => {
      await using served = await serveFiles();
      const made = await generator();
      const { port } = served;
      await fails(load(made, { port, line: "retr --path nothing" }), 1, /^load .*RETR nothing.*550 .*\n$/);
      await fails(load(made, { port, line: "login --pass wrong" }), 1, /^load .*PASS.*530 .*\n$/);
      await fails(load(made, { port, line: "list --verb NOSUCH" }), 1, /^load .*NOSUCH.*50\d .*\n$/);
      await fails(load(made, { port, line: "retr --sessions 0" }), 1, /--sessions must be a number/);
      await fails(load(made, { port, line: "nothing" }), 1, /mode is not known/);
    });
  });
}
