import assert from "node:assert/strict";
import { test } from "node:test";
import { Turn } from "./loop-turns.ts";

function hold(turn: Turn): void {
  while (!turn.over);
}

test("a turn is over after its time and not before, and begins anew", async () => {
  // Taken before the turn begins, so that the turn's own millisecond lies wholly in what is measured.
  const before = performance.now();
  const turn = new Turn();
  hold(turn);
  assert.ok(performance.now() - before >= 1);
  // A busy machine may take the processor away just here, for a millisecond and more: not every time.
  let anew = false;
  for (let attempt = 0; attempt < 100 && !anew; attempt++) {
    await turn.next();
    anew = !turn.over;
  }
  assert.ok(anew, "a new turn is over as soon as it begins");
});

test("those that wait are served in order, one in a round of the loop", async () => {
  const seen: string[] = [];
  let rounds = 0;
  let counting = true;
  const count = (): void => {
    rounds++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const work = async (name: string): Promise<void> => {
    const turn = new Turn();
    for (let at = 0; at < 2; at++) {
      await turn.next();
      seen.push(`${name}${at}`);
    }
  };
  await Promise.all(["a", "b", "c"].map(work));
  counting = false;
  assert.deepEqual(seen, ["a0", "b0", "c0", "a1", "b1", "c1"]);
  assert.ok(rounds >= 5, `${rounds} rounds`);
});
