/** So many at the same time, and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "./places.ts";

test("who comes later waits until a place is free, in the order of coming", async () => {
  const places = new Places(2);
  const [first] = [await places.take(), await places.take()];
  const order: string[] = [];
  const third = places.take().then((place) => (order.push("third"), place));
  const fourth = places.take().then((place) => (order.push("fourth"), place));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(order, []);
  first?.[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await fourth;
  assert.deepEqual(order, ["third", "fourth"]);
});
