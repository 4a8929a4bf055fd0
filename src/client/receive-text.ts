/** TYPE A on its way to a file here: with the line ends of this host (RFC 959 §3.1.1.1). */
import type { DataTransport } from "../net/transport.ts";
import { AsciiDecoder } from "../protocol/ascii.ts";
import { octetsIn } from "./octets.ts";
import type { PartFile } from "./part-file.ts";

export async function receiveText(
  transport: DataTransport,
  { file }: PartFile,
  moved: (octets: number) => void,
): Promise<void> {
  const decoder = new AsciiDecoder();
  for (;;) {
    const chunks = await transport.receive();
    const texts = chunks.length === 0 ? [decoder.end()] : chunks.map((chunk) => decoder.push(Buffer.from(chunk)));
    for (const text of texts) await file.write(text);
    if (chunks.length === 0) return;
    moved(octetsIn(chunks));
  }
}
