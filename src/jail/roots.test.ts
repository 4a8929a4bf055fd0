import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inheritedRoots, openRoots, ROOTS_VARIABLE, rootsVariable } from "./roots.ts";

const skip = process.platform === "linux" ? false : "folders are opened by descriptor on Linux alone";

function temporary() {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "ferryman-roots-")));
  mkdirSync(join(path, "real/pub"), { recursive: true });
  symlinkSync("real", join(path, "link"));
  writeFileSync(join(path, "file"), "");
  return { at: (name: string) => join(path, name), [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test("what the broker writes the worker reads", { skip }, () => {
  using folder = temporary();
  using roots = openRoots([{ path: folder.at("real"), access: "read" }]);
  const [root] = roots.list;
  assert.ok(root);
  const environment = { [ROOTS_VARIABLE]: rootsVariable(roots.list, root.descriptor) };
  const at = `/proc/self/fd/${root.descriptor}`;
  assert.deepEqual(inheritedRoots(environment), [{ path: folder.at("real"), access: "read", at }]);
  assert.deepEqual(inheritedRoots({}), []);
  for (const wrong of ["{}", '[{"path":1}]', "nonsense", '[{"path":"/","access":"all","descriptor":3}]']) {
    assert.throws(() => inheritedRoots({ [ROOTS_VARIABLE]: wrong }), Error, wrong);
  }
});

for (const ffi of ["on", "off"]) {
  test(
    `attack 31: a link on the way to a user's folder is refused where that was asked (calls ${ffi})`,
    { skip },
    () => {
      const before = process.env["FERRYMAN_FFI"];
      if (ffi === "off") process.env["FERRYMAN_FFI"] = "off";
      try {
        using folder = temporary();
        const open = (name: string, noLinks: boolean): void =>
          openRoots([{ path: folder.at(name), access: "read", noLinks }])[Symbol.dispose]();
        open("link/pub", false);
        open("real/pub", true);
        for (const name of ["link/pub", "link"])
          assert.throws(() => open(name, true), /cannot open .*(?:link|ELOOP)/, name);
      } finally {
        if (before === undefined) delete process.env["FERRYMAN_FFI"];
        else process.env["FERRYMAN_FFI"] = before;
      }
    },
  );
}

test("what is no folder is said, and nothing stays open", { skip }, () => {
  using folder = temporary();
  const wish = (name: string) => ({ path: folder.at(name), access: "read" as const });
  assert.throws(() => openRoots([wish("real"), wish("file")]), /cannot open a served folder: ENOTDIR/);
  assert.throws(() => openRoots([wish("missing")]), /ENOENT/);
  assert.throws(() => openRoots(Array.from({ length: 257 }, () => wish("real"))), /at most 256/);
});
