/** A worker for tests that behaves as its first argument says: well, or as one that was taken over. */
import { writeSync } from "node:fs";
import { Server } from "node:net";
import type { Handle } from "../../src/jail/channel.ts";
import { connectBroker } from "../../src/jail/worker-side.ts";
import { NOTICES, REQUESTS } from "./tables.ts";

/** The channel's descriptor, written to directly by one that was taken over. */
const CHANNEL = 3;
const [mode = "", detail = ""] = process.argv.slice(2);

function serve(handle: Handle | undefined, text: string): void {
  if (handle instanceof Server) handle.on("connection", (socket) => socket.end(text));
}

/** The channel does not block: full for now is no reason to end. */
function writeOrWait(chunk: Buffer): void {
  try {
    writeSync(CHANNEL, chunk);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
  }
}

const side = connectBroker({
  requests: REQUESTS,
  notices: NOTICES,
  onNotice: { listen: ({ text }, handle) => serve(handle, text) },
  onDrain: () => {
    if (mode !== "stubborn") process.exit(0);
  },
});

const MODES: Readonly<Record<string, () => unknown>> = {
  good: async () => {
    side.ready();
    await side.ask("report", await side.ask("greet", { name: detail }));
  },
  listener: async () => {
    for (let count = 0; count < 2; count++) {
      const { answer, handle } = await side.askForHandle("listener", null);
      serve(handle, `port ${answer.port}`);
    }
    await side.ask("report", "listening");
  },
  wait: () => side.ready(),
  stubborn: () => {
    process.on("SIGTERM", () => {});
    side.ready();
  },
  dies: () => process.exit(3),
  "dies later": () => {
    side.ready();
    setTimeout(() => process.exit(4), 20);
  },
  silent: () => setInterval(() => {}, 1_000),
  stuck: () => {
    side.ready();
    // The message goes out first.
    setTimeout(() => {
      for (;;);
    }, 50);
  },
  garbage: () => writeSync(CHANNEL, Buffer.from(detail, "hex")),
  huge: () => {
    const chunk = Buffer.alloc(65_536);
    chunk.writeUInt32BE(2 ** 30);
    for (;;) writeOrWait(chunk);
  },
  raw: () => process.send?.(JSON.parse(detail)),
  flood: () => {
    for (let id = 1; id < 5_000; id++) process.send?.({ t: "ask", id, name: "no such", payload: null });
  },
};

await MODES[mode]?.();
