/** Lines of listings as octets, as many together as one send should take. */
import type { ByteString } from "../base/bytes.ts";
import type { EntryTable, OctetLines, TableWriter } from "../protocol/entry-table.ts";

/** Octets of lines that go out at once: some hundred lines share the price of a send. */
const CHUNK_OCTETS = 65_536;
/** The least: lines of names that are as long as may be. */
const CHUNK_LEAST = 1_024;
/** Milliseconds that lines wait for others on a slow disk; then they go out as they are. */
const GATHER_MS = 100;
/** Buffers that are kept for later listings: new memory costs a page fault for each 4 KiB. */
const SPARE_BUFFERS = 2;

/**
 * Lines, each with its CRLF. The octets are the taker's until he asks for the next chunk; when he is done with the last
 * one he asks once more.
 */
export type Chunk = { readonly octets: Buffer; readonly isLast: boolean };
export type Chunks = AsyncGenerator<Chunk, void, void>;

const spare: Buffer[] = [];

/** @param memory octets that a session's buffers may have. */
function takeBuffer(memory: number): Buffer {
  const length = Math.max(Math.min(CHUNK_OCTETS, memory), CHUNK_LEAST);
  return (length === CHUNK_OCTETS ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(length);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === CHUNK_OCTETS && spare.length < SPARE_BUFFERS) spare.push(buffer);
}

/** @param memory octets that a chunk may have. */
export async function* gathered(lines: AsyncIterable<ByteString>, memory: number): Chunks {
  const enough = Math.min(CHUNK_OCTETS, memory);
  let text = "";
  let since = performance.now();
  for await (const some of lines) {
    text += some;
    if (text.length < enough && performance.now() - since < GATHER_MS) continue;
    yield { octets: Buffer.from(text, "latin1"), isLast: false };
    text = "";
    since = performance.now();
  }
  yield { octets: Buffer.from(text, "latin1"), isLast: true };
}

type Written = {
  readonly tables: AsyncIterable<EntryTable>;
  readonly write: TableWriter<EntryTable>;
  /** A line before all others, with its CRLF. */
  readonly first?: ByteString;
};

/** Lines of a whole folder, written into one buffer again and again. @param memory as above. */
export async function* written({ tables, write, first }: Written, memory: number): Chunks {
  const lines: OctetLines = { octets: takeBuffer(memory), length: 0 };
  if (first !== undefined) {
    if (first.length > lines.octets.length) lines.octets = Buffer.allocUnsafeSlow(first.length);
    lines.length = lines.octets.write(first, "latin1");
  }
  let since = performance.now();
  for await (const table of tables) {
    for (let from = write(table, 0, lines); from < table.count; from = write(table, from, lines)) {
      if (lines.length > 0) yield { octets: lines.octets.subarray(0, lines.length), isLast: false };
      // A single line longer than the buffer: a link's text has up to 4,095 octets.
      else lines.octets = Buffer.allocUnsafeSlow(2 * lines.octets.length);
      lines.length = 0;
      since = performance.now();
    }
    if (performance.now() - since < GATHER_MS || lines.length === 0) continue;
    yield { octets: lines.octets.subarray(0, lines.length), isLast: false };
    lines.length = 0;
    since = performance.now();
  }
  yield { octets: lines.octets.subarray(0, lines.length), isLast: true };
  // Only here, where it was asked on after the last chunk: whoever broke off may still have it in use.
  giveBack(lines.octets);
}
