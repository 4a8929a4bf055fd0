/** A slip of the hand is recognized, noise is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { didYouMean, nearest } from "./nearest.ts";

test("the nearest name, by at most two edits", () => {
  const known = ["serve", "user", "login-timeout", "rm"];
  assert.equal(nearest("sevre", known), "serve");
  assert.equal(nearest("users", known), "user");
  assert.equal(nearest("Login-Timeuot", known), "login-timeout");
  assert.equal(nearest("ls", known), undefined);
  assert.equal(nearest("quux", known), undefined);
  assert.equal(nearest("serve", known), "serve");
});

test("the question, or nothing", () => {
  assert.equal(didYouMean("srve", ["serve"]), ' Did you mean "serve"?');
  assert.equal(didYouMean("zzz", ["serve"]), "");
});
