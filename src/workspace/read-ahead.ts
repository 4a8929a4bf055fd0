/** A file in buffers, for whatever reads it from one end to the other: while one is used the next is read. */
import type { FileReader } from "../storage/storage.ts";

type Span = { readonly start: number; readonly end: number };

/**
 * The buffers of a span in order, up to its end or the file's; each is good until the one after it is asked for.
 * @param octets of one buffer at most; there are two of them.
 * @throws what the read throws, after what was read before it has been given.
 */
export async function* readAhead(
  reader: Pick<FileReader, "read">,
  { start, end }: Span,
  octets: number,
): AsyncGenerator<Buffer, void, void> {
  const size = Math.min(Math.max(end - start, 1), octets);
  const spare: Buffer[] = [];
  let position = start;
  const next = async (): Promise<Buffer> => {
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(size);
    const wanted = Math.min(size, end - position);
    if (wanted <= 0) return buffer.subarray(0, 0);
    const count = await reader.read(wanted === size ? buffer : buffer.subarray(0, wanted), position);
    position += count;
    return buffer.subarray(0, count);
  };
  let chunk = await next();
  while (chunk.length > 0) {
    const following = position < end ? next() : undefined;
    // A fault of the read is thrown below.
    following?.catch(() => {});
    yield chunk;
    spare.push(Buffer.from(chunk.buffer, 0, size));
    if (following === undefined) return;
    chunk = await following;
  }
}
