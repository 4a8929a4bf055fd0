/** Whatever way a transfer ends, the event stream hears of it once. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assert as check, array, asyncProperty, constantFrom, nat, record } from "fast-check";
import { virtualPath } from "../../src/protocol/path.ts";
import { contentOf, fill, openDesk } from "../support/workspace.ts";

const A = virtualPath("/a");
const IMAGE = { type: "image" } as const;

const transfer = record({
  what: constantFrom<What[]>("read", "store", "append", "resume", "unique", "listing"),
  octets: nat(5000),
  /** What happens before it is disposed, in this order. */
  steps: array(constantFrom("complete", "failed", "aborted", "publish", "throw"), { maxLength: 4 }),
  disposals: constantFrom(1, 2),
});

suite("transfers", () => {
  test("exactly one event per transfer, with the first outcome that was told, else failed", async () => {
    await check(
      asyncProperty(array(transfer, { maxLength: 8 }), async (transfers) => {
        let clock = 1_000;
        const { workspace, events } = openDesk({ files: { "/a": "aaaa" }, now: () => (clock += 5) });
        const wanted: [string, number][] = [];
        for (const { what, octets, steps, disposals } of transfers) {
          const opened = await open(workspace, what);
          opened.log.octets += octets;
          let ended: string | undefined;
          try {
            for (const step of steps) {
              if (step === "throw") throw new Error("the handler failed");
              if (step === "publish") await opened.publish();
              else {
                opened.log.end(step);
                ended ??= step;
              }
            }
          } catch {
            // What a handler throws is the server's business.
          }
          for (let turn = 0; turn < disposals; turn++) await opened.dispose();
          wanted.push([ended ?? "failed", octets]);
        }
        const told = events.filter((event) => event.type === "transfer");
        assert.deepEqual(
          told.map(({ outcome, octets }) => [outcome, octets]),
          wanted,
        );
        for (const { milliseconds, account } of told) {
          assert.ok(milliseconds > 0);
          assert.equal(account, "ann");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("an event has where it began, which way it went, and why it broke", async () => {
    const { workspace, events, storage } = openDesk({ files: { "/a": "aaaa" } });
    {
      await using reading = await workspace.openRead(A, { offset: 3, type: "ascii" });
      reading.log.octets += 1;
      reading.log.end("aborted", "ABOR");
    }
    {
      await using writing = await workspace.openWrite(A, { kind: "append" }, IMAGE);
      await writing.upload.write([Buffer.from("b")]);
    }
    assert.deepEqual(
      events.map(
        (event) =>
          event.type === "transfer" && [
            event.direction,
            event.offset,
            event.representation,
            event.outcome,
            event.reason,
          ],
      ),
      [
        ["download", 3, "ascii", "aborted", "ABOR"],
        ["upload", 4, "image", "failed", "it ended without a word"],
      ],
    );
    assert.equal(await contentOf(storage, A), "aaaa");
  });
});

type What = "read" | "store" | "append" | "resume" | "unique" | "listing";
type Opened = {
  readonly log: { octets: number; end(outcome: "complete" | "failed" | "aborted"): void };
  readonly publish: () => Promise<void>;
  readonly dispose: () => Promise<void>;
};

async function open(workspace: ReturnType<typeof openDesk>["workspace"], what: What): Promise<Opened> {
  if (what === "listing") {
    const log = workspace.logListing(A);
    return { log, publish: async () => {}, dispose: async () => log[Symbol.dispose]() };
  }
  if (what === "read") {
    const reading = await workspace.openRead(A, { offset: 0, ...IMAGE });
    return { log: reading.log, publish: async () => {}, dispose: async () => reading[Symbol.asyncDispose]() };
  }
  const how = what === "resume" ? ({ kind: "resume", offset: 2 } as const) : ({ kind: what } as const);
  const writing = await workspace.openWrite(A, how, IMAGE);
  return {
    log: writing.log,
    publish: async () => fill(writing.upload, "aaaa"),
    dispose: async () => writing[Symbol.asyncDispose](),
  };
}
