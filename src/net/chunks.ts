/** What has arrived, as the list of buffers that it came in. */

/** Takes the first `count` octets off the list, cutting a buffer where they end. @param count at most what is there. */
export function takeOctets(chunks: Buffer[], count: number): Buffer[] {
  const taken: Buffer[] = [];
  let left = count;
  while (left > 0) {
    const [first] = chunks;
    if (first === undefined) break;
    if (first.length <= left) chunks.shift();
    else chunks[0] = first.subarray(left);
    taken.push(first.subarray(0, left));
    left -= Math.min(left, first.length);
  }
  return taken;
}
