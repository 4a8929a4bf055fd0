/** A renewed pair is noticed and taken over whole; a bad one is told once and changes nothing. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { rename, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CredentialError } from "./credential-fault.ts";
import { type Credential, loadCredential } from "./credential.ts";
import { DAY, type IssueTerms, NOW, issue, put, withFolder } from "./test-tools.ts";
import { type CredentialWatch, watchCredentials } from "./watch-credentials.ts";

/** Milliseconds between looks in tests. */
const SOON = 15;

type Bench = {
  readonly cert: string;
  readonly key: string;
  readonly watch: CredentialWatch;
  readonly first: Credential;
  readonly changes: Credential[];
  readonly faults: unknown[];
  /** The next change or fault. */
  readonly next: () => Promise<unknown>;
  readonly write: (terms?: IssueTerms) => Promise<string>;
};

function unexpected(value: unknown): never {
  return assert.fail(String(value));
}

/** In one step, so that no look sees a file that is being written. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function watching(work: (bench: Bench) => Promise<void>, now: () => number = () => NOW): Promise<void> {
  await withFolder(async (folder) => {
    const { pem, key: keyText } = issue();
    const cert = await put(folder, { name: "x.crt", text: pem });
    const key = await put(folder, { name: "x.key", text: keyText });
    const first = await loadCredential({ cert, key }, NOW);
    const changes: Credential[] = [];
    const faults: unknown[] = [];
    const events = new EventEmitter();
    const heard = <T>(list: T[]) => {
      return (value: T): void => {
        list.push(value);
        events.emit("news", value);
      };
    };
    const terms = { current: first, onChange: heard(changes), onFault: heard(faults), intervalMs: SOON, now };
    using watch = watchCredentials({ cert, key }, terms);
    const write = async (renewed: IssueTerms = {}): Promise<string> => {
      const issued = issue(renewed);
      await replace(key, issued.key);
      await replace(cert, issued.pem);
      return issued.pem;
    };
    const next = async (): Promise<unknown> => (await once(events, "news"))[0];
    // The watch's own timer keeps no process alive.
    const alive = setInterval(() => {}, 1_000);
    try {
      await work({ cert, key, watch, first, changes, faults, next, write });
    } finally {
      clearInterval(alive);
    }
  });
}

test("a renewed pair is taken over once", async () => {
  await watching(async ({ changes, faults, next, write, watch }) => {
    const news = next();
    const pem = await write();
    await news;
    while (changes.length === 0) await next();
    assert.equal(changes[0]?.cert, pem);
    assert.equal(await watch.reloadNow(), "same");
    assert.equal(changes.length, 1);
    assert.ok(faults.length <= 1);
  });
});

test("half a pair keeps the old one and is told once; the other half brings the new one", async () => {
  await watching(async ({ cert, key, changes, faults, next }) => {
    const renewed = issue();
    const told = next();
    await replace(cert, renewed.pem);
    assert.ok((await told) instanceof CredentialError);
    // The fault stays, and each further look is silent: the next news is the change.
    const news = next();
    await utimes(cert, 1, 1);
    await replace(key, renewed.key);
    const changed = await news;
    assert.equal(changed, changes[0]);
    assert.equal(changes[0]?.cert, renewed.pem);
    assert.equal(faults.length, 1);
  });
});

test("reloadNow answers what came of it, and tells a fault each time it is asked", async () => {
  await watching(async ({ cert, changes, faults, watch, write, first }) => {
    assert.equal(await watch.reloadNow(), "same");
    await replace(cert, "garbage");
    assert.equal(await watch.reloadNow(), "kept");
    assert.equal(await watch.reloadNow(), "kept");
    assert.ok(faults.length >= 2);
    assert.match(String(faults[0]), /x\.crt: no certificate in it/);
    await replace(cert, first.cert);
    assert.equal(await watch.reloadNow(), "same");
    await write();
    assert.notEqual(await watch.reloadNow(), "kept");
    assert.equal(changes.length, 1);
  });
});

test("a new pair that has expired is not taken; the one in use may run out in peace", async () => {
  let now = NOW;
  await watching(
    async ({ changes, faults, watch, write }) => {
      await write({ notAfter: NOW - DAY });
      assert.equal(await watch.reloadNow(), "kept");
      assert.match(String(faults.at(-1)), /expired on 2026-06-14/);
      const pem = await write();
      await watch.reloadNow();
      assert.deepEqual(
        changes.map(({ cert }) => cert),
        [pem],
      );
      const told = faults.length;
      now = NOW + 1000 * DAY;
      assert.equal(await watch.reloadNow(), "same");
      assert.equal(faults.length, told);
    },
    () => now,
  );
});

test("a link that points elsewhere is a change", async () => {
  await withFolder(async (folder) => {
    const [one, two] = [issue(), issue()];
    const live = join(folder, "live.pem");
    // As certbot does it; of one size and time, so that only the number of the file tells the two apart.
    for (const [at, { pem, key }] of [one, two].entries()) {
      await replace(`${live}.${at}`, (pem + key).padEnd(4_000));
      await utimes(`${live}.${at}`, 1, 1);
    }
    await symlink(`${live}.0`, live);
    const current = await loadCredential({ cert: live }, NOW);
    const [reads, changed] = [new EventEmitter(), Promise.withResolvers<Credential>()];
    const now = (): number => {
      reads.emit("read");
      return NOW;
    };
    const terms = { current, onChange: changed.resolve, onFault: changed.reject, intervalMs: SOON, now };
    const first = once(reads, "read");
    using watch = watchCredentials({ cert: live }, terms);
    const alive = setInterval(() => {}, 1_000);
    try {
      await first;
      assert.equal(await watch.reloadNow(), "same");
      await symlink(`${live}.1`, `${live}.link`);
      await rename(`${live}.link`, live);
      assert.equal((await changed.promise).cert, two.pem);
    } finally {
      clearInterval(alive);
    }
  });
});

test("a fault that stays is told once, however often it is met", async () => {
  let reads = 0;
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const now = (): number => {
    reads += 1;
    if (reads >= 6) resolve();
    return NOW;
  };
  await watching(async ({ cert, faults, next }) => {
    const told = next();
    await replace(cert, "garbage");
    await told;
    await enough;
    assert.equal(faults.length, 1);
  }, now);
});

test("a change before the first look is noticed too", async () => {
  await withFolder(async (folder) => {
    const [one, two] = [issue(), issue()];
    const cert = await put(folder, { name: "x.pem", text: one.pem + one.key });
    const current = await loadCredential({ cert }, NOW);
    await replace(cert, two.pem + two.key);
    const changes: Credential[] = [];
    const onChange = (credential: Credential): number => changes.push(credential);
    using watch = watchCredentials({ cert }, { current, onChange, onFault: unexpected, now: () => NOW });
    assert.equal(await watch.reloadNow(), "changed");
    assert.equal(changes[0]?.cert, two.pem);
  });
});

test("what the listener throws is a fault, and the new pair is offered again", async () => {
  await withFolder(async (folder) => {
    const [one, two] = [issue(), issue()];
    const cert = await put(folder, { name: "x.pem", text: one.pem + one.key });
    const current = await loadCredential({ cert }, NOW);
    await replace(cert, two.pem + two.key);
    const faults: unknown[] = [];
    let isReady = false;
    const onChange = (): void => {
      if (!isReady) throw new Error("not now");
    };
    const onFault = (fault: unknown): number => faults.push(fault);
    using watch = watchCredentials({ cert }, { current, onChange, onFault, now: () => NOW });
    assert.equal(await watch.reloadNow(), "kept");
    assert.match(String(faults), /not now/);
    isReady = true;
    assert.equal(await watch.reloadNow(), "changed");
  });
});

test("nothing is told after the end, and an interval has bounds", async () => {
  await watching(async ({ watch, write, changes, faults, cert, first }) => {
    watch[Symbol.dispose]();
    await write();
    assert.equal(await watch.reloadNow(), "kept");
    assert.deepEqual([changes, faults], [[], []]);
    for (const intervalMs of [0, -1, NaN, 2 ** 31]) {
      assert.throws(
        () => watchCredentials({ cert }, { current: first, onChange: unexpected, onFault: unexpected, intervalMs }),
        RangeError,
      );
    }
  });
});
