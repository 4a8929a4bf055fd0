/** One press of Ctrl-C that arrives several times is one; a later press is a second one. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { stopSignals } from "./stop-signals.ts";

test("signals that come together count as one, a later one ends at once", async () => {
  const source = new EventEmitter();
  let now = 1_000;
  using signals = stopSignals({ source, now: () => now });
  let ended = false;
  void signals.second.then(() => {
    ended = true;
  });
  source.emit("SIGINT", "SIGINT");
  now += 5;
  source.emit("SIGINT", "SIGINT");
  now += 5;
  source.emit("SIGTERM", "SIGTERM");
  assert.equal(await signals.first, "SIGINT");
  assert.equal(ended, false);
  now += 1_000;
  source.emit("SIGTERM", "SIGTERM");
  assert.equal(await signals.second, "SIGTERM");
});

test("nothing listens any more afterwards", () => {
  const source = new EventEmitter();
  {
    using signals = stopSignals({ source });
    assert.ok(signals.first instanceof Promise);
    assert.equal(source.listenerCount("SIGINT"), 1);
  }
  assert.equal(source.listenerCount("SIGINT"), 0);
});

test("SIGHUP ends what has a terminal, and reloads what has none", async () => {
  const source = new EventEmitter();
  let reloads = 0;
  {
    using signals = stopSignals({ source, hasTerminal: false });
    signals.onReload = () => {
      reloads += 1;
    };
    source.emit("SIGHUP", "SIGHUP");
    assert.equal(reloads, 1);
  }
  using signals = stopSignals({ source, hasTerminal: true });
  source.emit("SIGHUP", "SIGHUP");
  assert.equal(await signals.first, "SIGHUP");
});
