/** Copies octets between two open files where the kernel cannot do it by itself. */
import { read, write } from "node:fs";
import { promisify } from "node:util";

const readAsync = promisify(read);
const writeAsync = promisify(write);

/** Octets of the one buffer of a copy: large enough that thread switches do not count. */
const COPY_BUFFER_OCTETS = 1024 * 1024;

/** Copies octets `position` to `length`, each to its own place; stops early at the end of `from`. */
export async function copyByReading(
  from: number,
  to: number,
  { position, length }: { position: number; length: number },
): Promise<void> {
  if (position >= length) return;
  const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BUFFER_OCTETS, length - position));
  let at = position;
  while (at < length) {
    const { bytesRead } = await readAsync(from, buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) return;
    let written = 0;
    while (written < bytesRead) {
      const { bytesWritten } = await writeAsync(to, buffer, written, bytesRead - written, at + written);
      written += bytesWritten;
    }
    at += bytesRead;
  }
}
