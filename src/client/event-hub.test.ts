/** Listeners of a client: one that throws disturbs neither the caller nor the others, and is told about once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { EventHub } from "./event-hub.ts";

test("what a listener throws becomes one warning, and the others hear the event", async () => {
  const heard: string[] = [];
  const hub = new EventHub({
    fallback: () => {
      throw new Error("a slip of the program");
    },
  });
  hub.on("fallback", ({ what }) => void heard.push(what));
  const off = hub.on("fallback", () => void heard.push("too much"));
  off();
  const warned = once(process, "warning");
  let more = 0;
  hub.emit("fallback", { id: 1, what: "one" });
  const [warning]: unknown[] = await warned;
  assert.ok(warning instanceof Error);
  assert.equal(warning.name, "FerrymanListenerWarning");
  assert.match(warning.message, /"fallback" threw.*a slip of the program/s);
  const count = (): void => void (more += 1);
  process.on("warning", count);
  hub.emit("fallback", { id: 1, what: "two" });
  // Warnings come on the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", count);
  assert.deepEqual([heard, more], [["one", "two"], 0]);
});
