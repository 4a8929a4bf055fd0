import assert from "node:assert/strict";
import { test } from "node:test";
import { FtpError } from "../errors.ts";
import { Rules } from "./rules.ts";

test("names: ends without a wildcard, patterns with one, and what is rejected", () => {
  const rules = new Rules({ accept: ["iso", "*.tar.{gz,xz}"], reject: ["beta*"] }, []);
  assert.deepEqual(
    ["a.iso", "x.tar.gz", "x.tar.bz2", "beta.iso", "alpha.iso"].map((name) => rules.takes(name)),
    [true, true, false, false, true],
  );
  assert.equal(new Rules({ accept: ["*.ISO"], ignoreCase: true }, []).takes("a.iso"), true);
  assert.equal(new Rules({ accept: ["*.ISO"] }, []).takes("a.iso"), false);
});

test("folders: included ones with the way to them, without excluded ones", () => {
  const rules = new Rules({ include: ["/pub/linux", "docs/*"], exclude: ["/pub/linux/old"] }, ["pub"]);
  const enters = (path: string): boolean => rules.enters(path.split("/"));
  assert.deepEqual(
    ["pub", "pub/linux", "pub/linux/x", "pub/linux/old", "pub/linux/old/x", "pub/docs", "pub/docs/a", "pub/other"].map(
      enters,
    ),
    [true, true, true, false, false, true, true, false],
  );
  const holds = (path: string): boolean => rules.holds(path.split("/"));
  assert.deepEqual(["pub", "pub/linux", "pub/docs", "pub/docs/a/b"].map(holds), [false, true, false, true]);
});

test("a folder's name is no pattern", () => {
  const rules = new Rules({ include: ["x"] }, ["a[1]*"]);
  assert.equal(rules.enters(["a[1]*", "x"]), true);
  assert.equal(rules.enters(["a1b", "x"]), false);
});

test("patterns that are empty, too long or too many are said to be", () => {
  for (const accept of [[""], ["x".repeat(5_000)], Array.from({ length: 1_001 }, () => "x")]) {
    assert.throws(
      () => new Rules({ accept }, []),
      (error) => error instanceof FtpError && error.code === "USAGE",
    );
  }
});
