/** A server that is killed in the middle of uploads (issue 2): no half file under a real name, nothing left over. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { leftovers } from "../support/attack.ts";
import { Wire } from "../support/wire.ts";

const PROGRAM = fileURLToPath(new URL("../support/serve-folder.ts", import.meta.url));
const UPLOADS = 200;
const AT_ONCE = 8;
/** Complete uploads after which the server is killed; the others are on their way or not begun. */
const KILL_AFTER = 70;

/** The server's own choice, which leaves no names behind on Linux, and the one that must clear up. */
const JAILS = ["auto", "portable"] as const;
type Jail = (typeof JAILS)[number];

type Served = Disposable & { readonly port: number; kill(): Promise<void> };

async function serve(folder: string, jail: Jail): Promise<Served> {
  const child: ChildProcess = fork(PROGRAM, [folder, jail], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [port]: unknown[] = await once(child, "message");
  assert.ok(typeof port === "number");
  return {
    port,
    async kill() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

/** Each its own size and filling, so that a mix-up would show. */
function contentOf(index: number): Buffer {
  return Buffer.alloc(200_000 + index * 1_777, String.fromCodePoint(65 + (index % 26)));
}

async function upload(wire: Wire, index: number): Promise<void> {
  const { port } = await wire.passivePort();
  const data = createConnection({ host: "127.0.0.1", port });
  data.on("error", () => {});
  // In two halves, so that there is a middle to be killed in.
  const content = contentOf(index);
  data.write(content.subarray(0, content.length / 2));
  await wire.expect(150, `STOR ${index}.bin`);
  data.end(content.subarray(content.length / 2));
  await wire.expect(226);
}

/** One that stays in its middle, whatever the others do. */
async function beginUpload(wire: Wire): Promise<void> {
  await wire.expect(200, "TYPE I");
  const { port } = await wire.passivePort();
  const data = createConnection({ host: "127.0.0.1", port });
  data.on("error", () => {});
  await wire.expect(150, "STOR begun.bin");
  data.write(Buffer.alloc(1_000));
}

for (const jail of JAILS) {
  test(`kill -9 amid 200 uploads (jail ${jail}): files are whole or not there, and the next start clears up`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "ferryman-test-"));
    try {
      using first = await serve(folder, jail);
      using begun = await Wire.login(first.port);
      await beginUpload(begun);
      const queue = Array.from({ length: UPLOADS }, (_, index) => index);
      const confirmed: number[] = [];
      const work = async (): Promise<void> => {
        using wire = await Wire.login(first.port);
        await wire.expect(200, "TYPE I");
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          await upload(wire, next);
          confirmed.push(next);
          if (confirmed.length === KILL_AFTER) await first.kill();
        }
      };
      const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
      assert.ok(
        ends.some(({ status }) => status === "rejected"),
        "it was killed before the end",
      );

      const names = readdirSync(folder).filter((name) => !name.startsWith(".ferryman-"));
      for (const name of names)
        assert.ok(readFileSync(join(folder, name)).equals(contentOf(Number.parseInt(name, 10))), name);
      for (const index of confirmed) assert.ok(names.includes(`${index}.bin`), `${index}.bin was confirmed`);
      assert.ok(names.length < UPLOADS);
      if (jail === "portable") assert.ok(temporaries(folder).length > 0, "there is something to clear up");

      using second = await serve(folder, jail);
      using wire = await Wire.login(second.port);
      await wire.expect(257, "PWD");
      assert.deepEqual(temporaries(folder), []);
      await wire.expect(200, "TYPE I");
      await upload(wire, 0);
      await second.kill();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function temporaries(folder: string): readonly string[] {
  return leftovers(folder).filter((name) => name.includes("-tmp."));
}
