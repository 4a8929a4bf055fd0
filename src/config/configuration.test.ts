/** The configuration: which source wins, and what somebody is told who made a mistake. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { ConfigurationError, type ConfigurationSources, loadConfiguration } from "./configuration.ts";
import { SECTIONS, variable } from "./sections.ts";

suite("configuration", () => {
  let folder = "";
  let count = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ferryman-config-"));
  });
  after(async () => rm(folder, { recursive: true }));

  async function fileOf(text: string): Promise<string> {
    count += 1;
    const file = join(folder, `${count}.toml`);
    await writeFile(file, text);
    return file;
  }

  async function findings(sources: ConfigurationSources): Promise<readonly string[]> {
    const outcome = await loadConfiguration({ standardFile: join(folder, "none"), ...sources }).catch(
      (error: unknown) => error,
    );
    assert.ok(outcome instanceof ConfigurationError, "no ConfigurationError");
    return outcome.findings.map((line) => line.replaceAll(`${folder}/`, "").replace(/^\d+\.toml/, "mine.toml"));
  }

  test("with no source everything has its default", async () => {
    const { serve, server } = await loadConfiguration({ standardFile: join(folder, "none") });
    assert.deepEqual(serve.listen, ["127.0.0.1:2121", "[::1]:2121"]);
    assert.equal(serve.anonymous, undefined);
    assert.equal(server.loginTimeout, 60);
  });

  test("flags win over the environment, that over the file, that over defaults", async () => {
    const file = await fileOf(
      '[server]\nlogin-timeout = "10m"\nidle-timeout = "10m"\nstall-timeout = 90\n[serve]\nlog = "json"\n',
    );
    const { serve, server } = await loadConfiguration({
      file,
      environment: { FERRYMAN_IDLE_TIMEOUT: "11m", FERRYMAN_STALL_TIMEOUT: "11m", HOME: "/", FERRYMAN_DEBUG: "1" },
      flags: { server: { stallTimeout: "12m" }, serve: { xferlog: undefined } },
    });
    assert.deepEqual([server.loginTimeout, server.idleTimeout, server.stallTimeout], [600, 660, 720]);
    assert.equal(serve.log, "json");
  });

  test("text becomes ranges, lists and switches", async () => {
    const { serve, server } = await loadConfiguration({
      standardFile: join(folder, "none"),
      environment: { FERRYMAN_HOSTS: "a.example, b.example", FERRYMAN_FXP: "true", FERRYMAN_PASSIVE_PORTS: "50000" },
      flags: { serve: { listen: ["127.0.0.1:0"] } },
    });
    assert.deepEqual(server.hosts, ["a.example", "b.example"]);
    assert.equal(server.fxp, true);
    assert.deepEqual(server.passivePorts, { first: 50_000, last: 50_000 });
    assert.deepEqual(serve.listen, ["127.0.0.1:0"]);
  });

  test("a standard file is read when no file is named, one in the environment before it", async () => {
    const standardFile = await fileOf("[server]\nlogin-timeout = 7\n");
    assert.equal((await loadConfiguration({ standardFile })).server.loginTimeout, 7);
    const FERRYMAN_CONFIG = await fileOf("[server]\nlogin-timeout = 8\n");
    const { server } = await loadConfiguration({ standardFile, environment: { FERRYMAN_CONFIG } });
    assert.equal(server.loginTimeout, 8);
  });

  test("all mistakes are found at once, each with file, line, key, and what is allowed", async () => {
    const file = await fileOf(
      [
        "# ours",
        "[server]",
        "login-timout = 5",
        "idle-timeout = 0",
        'stall-timeout = "soon"',
        'log = "json"',
        "[servr]",
        "[serve]",
        'anonymous = "yes"',
      ].join("\n"),
    );
    const environment = { FERRYMAN_GRACE_TIMEOUTS: "1", FERRYMAN_FXP: "maybe" };
    assert.deepEqual(await findings({ file, environment, flags: { server: { passivePorts: "80-90" } } }), [
      'mine.toml:3: login-timout: unknown key in [server]. Did you mean "login-timeout"?',
      "mine.toml:6: log: belongs under [serve], not [server]",
      'mine.toml:7: unknown section "servr". Did you mean "serve"? Known: serve, server, account, limits, bans, control, tls',
      'environment: unknown FERRYMAN_GRACE_TIMEOUTS. Did you mean "FERRYMAN_GRACE_TIMEOUT"?',
      'mine.toml:9: anonymous: "yes": expected one of "off"|"read"|"drop"',
      "mine.toml:4: idle-timeout: 0: too small, expected number to be >=1",
      'mine.toml:5: stall-timeout: "soon": expected a time like 90, "90s", "10m" or "1h30m"',
      'environment: FERRYMAN_FXP: "maybe": expected boolean',
      '--passive-ports: "80-90": first: too small, expected number to be >=1024',
    ]);
  });

  test("a file that is not there, not TOML, or not made of sections", async () => {
    assert.deepEqual(await findings({ file: join(folder, "gone.toml") }), ["gone.toml: there is no such file"]);
    const [broken = ""] = await findings({ file: await fileOf("[server]\nx = = 1\n") });
    assert.match(broken, /^mine\.toml:2:\d+: not TOML: /);
    const [flat = ""] = await findings({ file: await fileOf("server = 1\n") });
    assert.match(flat, /"server" is a section: write \[server\]/);
    const [odd = ""] = await findings({ file: await fileOf("[constructor]\nx = 1\n") });
    assert.match(odd, /unknown section "constructor"/);
  });

  test("no two sections share a key, so that a variable names one option", () => {
    const names = Object.values(SECTIONS).flatMap((table) => Object.keys(table).map(variable));
    assert.deepEqual(names, [...new Set(names)]);
  });
});
