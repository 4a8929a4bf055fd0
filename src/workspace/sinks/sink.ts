/** Sinks: what hears the event stream and writes it down. */
import type { FerrymanEvent } from "../events.ts";
import { jsonLine, jsonLossLine } from "./json.ts";
import { type LogTarget, type LossLine, openOutput } from "./output.ts";
import { prettyLine, prettyLossLine, wantsColour } from "./pretty.ts";
import { xferlogLine } from "./xferlog.ts";

export interface Sink {
  /** Never waits and never throws. */
  write(event: FerrymanEvent): void;
  /** Lines that are lost: see `LogOutput`. */
  readonly dropped: number;
  /** For logrotate. @throws the system's error; the sink goes on with the file that it has. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export type SinkKind = "pretty" | "json" | "xferlog";

type Form = { readonly line: (event: FerrymanEvent) => string | undefined; readonly lossLine: LossLine };

const FORMS: Readonly<Record<SinkKind, (target: LogTarget) => Form>> = {
  pretty(target) {
    const colour = wantsColour(target);
    return { line: (event) => prettyLine(event, { colour }), lossLine: prettyLossLine };
  },
  json: () => ({ line: jsonLine, lossLine: (lines) => jsonLossLine(lines, Date.now()) }),
  xferlog: () => ({ line: xferlogLine, lossLine: () => undefined }),
};

/** @throws the system's error when the file cannot be opened. */
export async function openSink(kind: SinkKind, target: LogTarget): Promise<Sink> {
  const { line, lossLine } = FORMS[kind](target);
  const output = await openOutput(target, lossLine);
  return {
    write(event) {
      const text = line(event);
      if (text !== undefined) output.write(text);
    },
    get dropped() {
      return output.dropped;
    },
    reopen: async () => output.reopen(),
    close: async () => output.close(),
  };
}
