import assert from "node:assert/strict";
import { test } from "node:test";
import { type MappingTerms, NoMapping, type PortMapping, mapPort } from "./port-mapping.ts";
import { type TestRouter, natPmpOnly, pcpGrant, testRouter } from "./test-router.ts";

const OUTSIDE = { address: "203.0.113.9", port: 40_001 };

async function map({ endpoint }: TestRouter, changes: Partial<MappingTerms> = {}): Promise<PortMapping> {
  return await mapPort({ local: { address: "127.0.0.1", port: 50_001 }, gateway: endpoint, ...changes });
}

test("PCP gives a port of the router, which is taken away with the same number of ours", async () => {
  await using router = await testRouter((line) => pcpGrant(line, OUTSIDE));
  {
    await using mapping = await map(router);
    assert.deepEqual([mapping.protocol, mapping.external], ["PCP", OUTSIDE]);
  }
  await router.heard(2);
  const [first = "", last = ""] = router.asked;
  assert.equal(first.slice(8, 16), "0000012c");
  assert.equal(first.slice(80, 88), "c351c351", "the same port is asked for");
  assert.equal(last.slice(8, 16), "00000000");
  assert.equal(last.slice(48, 72), first.slice(48, 72));
  assert.equal(last.slice(80, 88), "c3510000");
});

test("a router that knows NAT-PMP alone is asked in its way", async () => {
  await using router = await testRouter((line) => natPmpOnly(line, OUTSIDE));
  {
    await using mapping = await map(router);
    assert.deepEqual([mapping.protocol, mapping.external], ["NAT-PMP", OUTSIDE]);
  }
  await router.heard(4);
  assert.deepEqual(router.asked.slice(1), ["0000", "00020000c351c3510000012c", "00020000c351000000000000"]);
});

test("a lost datagram is sent again", async () => {
  await using router = await testRouter((line, count) => (count === 1 ? undefined : pcpGrant(line, OUTSIDE)));
  await using mapping = await map(router);
  assert.deepEqual(mapping.external, OUTSIDE);
  assert.equal(router.asked[0], router.asked[1]);
});

test("answers to other questions are passed over", async () => {
  await using router = await testRouter((line, count) => {
    const reply = pcpGrant(line, OUTSIDE);
    // Of another nonce: somebody guesses.
    if (count === 1) reply[24] = (reply[24] ?? 0) ^ 1;
    return reply;
  });
  await using mapping = await map(router);
  assert.equal(router.asked.length, 2);
  assert.deepEqual(mapping.external, OUTSIDE);
});

test("a refusal, silence and a closed port are told, each soon", async () => {
  await using strict = await testRouter((line) => pcpGrant(line, { ...OUTSIDE, result: 2 }));
  await assert.rejects(map(strict), new NoMapping("the router gives no port: it does not permit that"));
  await using silent = await testRouter(() => undefined);
  const begun = performance.now();
  await assert.rejects(map(silent, { waitMs: 100 }), /does not answer/);
  assert.ok(performance.now() - begun < 1_000);
  const closed = await testRouter(() => undefined);
  await closed[Symbol.asyncDispose]();
  await assert.rejects(map(closed), /neither PCP nor NAT-PMP/);
});

test("a caller that gives up is told its own reason", async () => {
  await using silent = await testRouter(() => undefined);
  const stop = new AbortController();
  const asking = map(silent, { signal: stop.signal });
  const reason = new Error("enough");
  await silent.heard(1);
  stop.abort(reason);
  await assert.rejects(asking, reason);
  await assert.rejects(map(silent, { signal: stop.signal }), reason);
});

test("a mapping is renewed, and a change is told", { timeout: 20_000 }, async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const places = [OUTSIDE, OUTSIDE, { ...OUTSIDE, port: 40_002 }];
  await using router = await testRouter((line, count) => pcpGrant(line, places[count - 1] ?? OUTSIDE));
  const { promise, resolve } = Promise.withResolvers<unknown>();
  await using mapping = await map(router, { onChange: resolve });
  // In small steps, with turns of the event loop between them in which answers come.
  while (mapping.external?.port === OUTSIDE.port) {
    await new Promise((next) => void setImmediate(next));
    context.mock.timers.tick(10);
  }
  assert.deepEqual(await promise, { ...OUTSIDE, port: 40_002 });
  assert.equal(router.asked.length, 3);
  assert.equal(router.asked[1]?.slice(48), router.asked[0]?.slice(48).replace("c351c351", "c3519c41"));
});
