/** What is decided before most of the program is loaded: the same as `serve` decides later, or nothing. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { Command } from "commander";
import { VALUE_FLAGS, decide } from "./early.ts";
import { serveFlags } from "./serve-flags.ts";

test("the flags that take a value are those of serve", () => {
  const { options } = serveFlags(new Command("serve"));
  assert.deepEqual([...VALUE_FLAGS].toSorted(), options.map((each) => each.name()).toSorted());
  for (const each of options) assert.deepEqual([each.required, each.short], [true, undefined], each.name());
});

const skip = process.platform === "linux" ? false : "users and capabilities are those of Linux";

suite("powers that are known early", { skip }, () => {
  let folder = "";
  /** An empty file: a machine's own configuration must not decide here. */
  let empty = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ferryman-early-"));
    empty = join(folder, "empty.toml");
    await writeFile(empty, "");
  });
  after(async () => rm(folder, { recursive: true }));

  const keeps = async (
    args: readonly string[],
    { environment = {}, config = empty }: { environment?: NodeJS.ProcessEnv; config?: string } = {},
  ): Promise<boolean | undefined> => {
    const decision = await decide(["serve", "--config", config, "--worker-user", "65534:65534", ...args], environment);
    return decision?.keepCapabilities.includes("NET_BIND_SERVICE");
  };
  const filed = async (text: string): Promise<string> => {
    const config = join(folder, "given.toml");
    await writeFile(config, text);
    return config;
  };

  test("low ports need a right, others do not", async () => {
    assert.equal(await keeps([]), false);
    assert.equal(await keeps(["/srv", "--listen", "0.0.0.0:21"]), true);
    assert.equal(await keeps(["--listen=127.0.0.1:2121", "--listen=ftps://[::]:990?tls=require"]), true);
    // Active data connections come from the port below.
    assert.equal(await keeps(["--listen", "127.0.0.1:1024"]), true);
    assert.equal(await keeps(["--listen", "localhost:0"]), false);
  });

  test("the file counts where no flag does", async () => {
    assert.equal(await keeps([], { config: await filed('[serve]\nlisten = ["0.0.0.0:21"]\n') }), true);
    assert.equal(await keeps([], { config: await filed('serve."l\\u0069sten" = ["0.0.0.0:21"]\n') }), true);
    const low = await filed('[serve]\nlisten = ["0.0.0.0:21"]\nworkers = 0\n');
    assert.equal(await keeps(["--listen", "127.0.0.1:2121"], { config: low }), undefined);
    assert.equal(await keeps(["--listen", "127.0.0.1:2121", "--workers", "2"], { config: low }), false);
    assert.equal(await keeps([], { config: await filed("[server]\nidle-timeout = 60\n") }), false);
  });

  test("whatever is odd, or needs all powers, is left to serve", async () => {
    const odd: readonly (readonly string[])[] = [
      ["--workers", "0"],
      ["--workers", "two"],
      ["--workers=2", "--workers=0"],
      ["--help"],
      ["-x"],
      ["--"],
      ["--listen"],
      ["--listen", "21"],
      ["--listen="],
      ["one", "two"],
      ["--ready-fd", "999"],
      ["--worker-user", "root"],
      ["--worker-user", "no-such-user"],
    ];
    for (const args of odd) assert.equal(await keeps(args), undefined, args.join(" "));
    assert.equal(await decide(["user", "list"], {}), undefined);
    for (const name of ["FERRYMAN_LISTEN", "FERRYMAN_WORKERS", "FERRYMAN_WORKER_USER"]) {
      assert.equal(await keeps([], { environment: { [name]: "1" } }), undefined, name);
    }
    for (const text of ['serve = "listen"', "listen =", '[serve]\nlisten = "a:21,b:22"', "[serve]\nworkers = 1.5"]) {
      assert.equal(await keeps([], { config: await filed(text) }), undefined, text);
    }
    assert.equal(await keeps([], { config: join(folder, "none.toml") }), undefined);
  });
});
