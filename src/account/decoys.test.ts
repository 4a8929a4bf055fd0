/** What nobody's name is checked against: always the same for a name, and as often of a kind as accounts have it (attack 36). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { Decoys } from "./decoys.ts";

/** Kinds are first letters; what begins with "-" cannot be checked. */
function decoys(): Decoys {
  return new Decoys((hash) => (hash.startsWith("-") ? undefined : hash.slice(0, 1)));
}

const NAMES = Array.from({ length: 2_000 }, (_, at) => bytesOfText(`nobody${at}`));

test("without a hash that can be checked there is none", () => {
  const empty = decoys();
  assert.equal(empty.of(bytesOfText("x")), undefined);
  empty.resemble("file", ["-a", "-b"]);
  assert.equal(empty.of(bytesOfText("x")), undefined);
});

test("attack 36: names that nobody has are spread over the kinds of hashes as accounts are, each for good", () => {
  const mixed = decoys();
  mixed.resemble("file", ["a1", "a2", "a3", "b1", "-c"]);
  mixed.resemble("fixed", ["d1"]);
  const chosen = NAMES.map((name) => mixed.of(name));
  assert.deepEqual(
    chosen,
    NAMES.map((name) => mixed.of(name)),
  );
  const share = (hash: string): number => chosen.filter((each) => each === hash).length / NAMES.length;
  for (const [hash, part] of [
    ["a1", 0.6],
    ["b1", 0.2],
    ["d1", 0.2],
  ] as const) {
    assert.ok(Math.abs(share(hash) - part) < 0.06, `${hash}: ${share(hash)}`);
  }
});

test("one more account changes the kind of few names, and a store that is asked again replaces what it said", () => {
  const [one, other] = [decoys(), decoys()];
  const hashes = Array.from({ length: 100 }, (_, at) => `${at < 60 ? "a" : "b"}${at}`);
  one.resemble("file", hashes);
  other.resemble("file", ["z"]);
  other.resemble("file", [...hashes, "a100"]);
  const changed = NAMES.filter((name) => one.of(name)?.slice(0, 1) !== other.of(name)?.slice(0, 1));
  assert.ok(changed.length < NAMES.length * 0.03, `${changed.length}`);
});
