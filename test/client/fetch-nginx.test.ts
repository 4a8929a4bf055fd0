/** `fetchTree` from nginx as Debian has it: its index pages, times, ranges and redirects are the real ones. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { FtpError } from "../../src/client/errors.ts";
import { fetchTree } from "../../src/client/fetch-tree/fetch-tree.ts";
import type { FetchEvent } from "../../src/client/fetch-tree/types.ts";
import { freePort } from "../support/ports.ts";
import { missing } from "../support/run.ts";
import { putFiles } from "./files.ts";

const WHEN = new Date("2024-03-01T10:20:30Z");
const BIG = Buffer.from(Array.from({ length: 2_000_003 }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
const FILES: Readonly<Record<string, string | Buffer>> = {
  "pub/a b & c%20.txt": "odd",
  "pub/ümlaut": "ü",
  "pub/big.bin": BIG,
  "pub/sub/deep/c.txt": "c",
  "pub/page.html": '<a href="sub/deep/">deep</a><a href="/secret.txt">above</a>',
  "secret.txt": "above",
};

type Nginx = AsyncDisposable & { readonly port: number; readonly root: string };

async function startNginx(): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-nginx-"));
  const root = join(folder, "root");
  await putFiles(root, FILES, WHEN);
  const port = await freePort();
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const settings = [
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;`,
    "events { worker_connections 64; }",
    `http { access_log off; ${places.join(" ")} types { text/html html; } default_type application/octet-stream;`,
    `server { listen 127.0.0.1:${port}; root ${root}; autoindex on;`,
    // Some 100 ms for the big file, so that it can be broken off in the middle.
    "location /pub/big.bin { limit_rate 10m; } } }",
  ];
  await writeFile(join(folder, "conf"), settings.join("\n"));
  const child = spawn("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "conf")], { stdio: "ignore" });
  const gone = once(child, "close");
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + 10_000;
  for (;;) {
    const isUp = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return { port, root, [Symbol.asyncDispose]: close };
    if (child.exitCode !== null || performance.now() > deadline) {
      await close();
      throw new Error("nginx did not come up");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

suite("fetchTree nginx", { skip: missing("nginx") }, () => {
  test("a tree with its times, twice, and what was broken off", async () => {
    await using nginx = await startNginx();
    const folder = await mkdtemp(join(tmpdir(), "ferryman-fetched-"));
    const url = `http://127.0.0.1:${nginx.port}/pub`;
    const options = { hostFolder: false, cutFolders: 1 } as const;
    try {
      const report = await fetchTree(url, folder, options);
      assert.deepEqual(report.failed, []);
      for (const [path, content] of Object.entries(FILES)) {
        if (!path.startsWith("pub/")) continue;
        const here = join(folder, path.slice(4));
        assert.ok((await readFile(here)).equals(Buffer.from(content)), path);
        assert.equal((await stat(here)).mtimeMs, WHEN.getTime(), path);
      }
      assert.ok(!(await readdir(folder)).includes("secret.txt"));
      const again = await fetchTree(url, folder, {
        ...options,
        exists: "newer",
        accept: ["bin", "txt", "umlaut", "ümlaut"],
      });
      assert.equal(again.files, 0);
      const big = `${url}/big.bin`;
      await rm(join(folder, "big.bin"));
      const stop = new AbortController();
      const seen = (event: FetchEvent): void => {
        if (event.kind === "progress" && event.bytes > 100_000) stop.abort(new Error("enough"));
      };
      await assert.rejects(
        fetchTree(big, folder, { ...options, resume: true, signal: stop.signal, onEvent: seen }),
        /enough/,
      );
      const events: FetchEvent[] = [];
      await fetchTree(big, folder, { ...options, resume: true, onEvent: (event) => events.push(event) });
      const start = events.find((event) => event.kind === "start");
      assert.ok(start?.kind === "start" && start.resumedAt > 0, JSON.stringify(start));
      assert.ok((await readFile(join(folder, "big.bin"))).equals(BIG));
      assert.ok(!(await readdir(folder)).some((name) => name.endsWith(".part")));
      const none = fetchTree(`${url}/none`, folder, options);
      await assert.rejects(none, (error) => error instanceof FtpError && error.code === "NOT_FOUND");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
