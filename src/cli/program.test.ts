/** Hints that are copied must not serve something else than what was typed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PROGRAM, serveAgain, serveForOthers } from "./program.ts";

test("for other machines: each loopback address is opened, nothing is left out, and logins need TLS", () => {
  const typed = ["serve", "pub", "--listen", "127.0.0.1:2121", "--listen", "ftps://[::1]:9990", "--users", "u.toml"];
  assert.equal(
    serveForOthers(2121, { accounts: true }, typed),
    `${PROGRAM} serve pub --listen 0.0.0.0:2121 --listen ftps://[::]:9990 --users u.toml --tls require`,
  );
  assert.equal(serveForOthers(2121, { accounts: false }, ["serve"]), `${PROGRAM} serve --listen 0.0.0.0:2121`);
  const chosen = ["serve", "--listen=localhost:21", "--tls", "off"];
  assert.equal(serveForOthers(21, { accounts: true }, chosen), `${PROGRAM} serve --listen=0.0.0.0:21 --tls off`);
});

test("the same again with something more, once", () => {
  const typed = ["serve", "a b", "--users", "u.toml"];
  assert.equal(serveAgain({ more: ["--users", "x"] }, typed), `${PROGRAM} serve 'a b' --users u.toml`);
  assert.equal(serveAgain({ listen: "1.2.3.4:5" }, typed), `${PROGRAM} serve 'a b' --users u.toml --listen 1.2.3.4:5`);
});
