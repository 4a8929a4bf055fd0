/** The log for people: one short line per event, with the time in front and colour where the stream wants it. */
import { styleText } from "node:util";
import { twoDigits } from "../../protocol/calendar.ts";
import type { FerrymanEvent, FileChange, SessionFacts, Transferred } from "../events.ts";
import { visible, visibleText } from "./escape.ts";
import type { LogTarget } from "./output.ts";

type Colour = "dim" | "green" | "yellow" | "red" | "cyan";
type Said = { readonly colour?: Colour; readonly text: string };

/** Whether a terminal stands there that has colours; NO_COLOR and FORCE_COLOR are heard. */
export function wantsColour(target: LogTarget): boolean {
  if (typeof target !== "string") return false;
  return styleText("red", "x", { stream: process[target] }) !== "x";
}

/** `08:00:00 s1 ann 192.0.2.7  RETR /a → 226`, in local time; a fault's stack follows on indented lines. */
export function prettyLine(event: FerrymanEvent, { colour }: { readonly colour: boolean }): string {
  const { text, colour: chosen } = say(event);
  const paint = (style: Colour | undefined, words: string): string =>
    colour && style !== undefined ? styleText(style, words, { validateStream: false }) : words;
  return `${paint("dim", clock(event.at))} ${paint("cyan", whoOf(event))} ${paint(chosen, text)}`;
}

export function prettyLossLine(lines: number): string {
  return `${clock(Date.now())} - ${lines} log ${lines === 1 ? "line is" : "lines are"} lost: the log's reader is too slow`;
}

type ServerEvent = Exclude<FerrymanEvent, SessionFacts>;
type TlsEvent = Extract<FerrymanEvent, { type: "session.secured" | "tls.failed" | "data.unbound" }>;

function isServerEvent(event: FerrymanEvent): event is ServerEvent {
  return !("peer" in event);
}

function sayServer(event: ServerEvent): Said {
  switch (event.type) {
    case "server.listening":
      return { colour: "green", text: `listening on ${visibleText(event.address)} port ${event.port}` };
    case "server.closed":
      return { text: "closed" };
    case "server.warning":
      return { colour: "yellow", text: visibleText(event.text) };
    case "ban":
      return { colour: "yellow", text: `banned ${visibleText(event.target)}: ${visibleText(event.reason)}` };
    case "ban.lifted":
      return { text: `ban of ${visibleText(event.target)} ended: ${visibleText(event.why)}` };
    case "worker.gone":
      return {
        colour: "red",
        text: `worker ${event.worker} is gone and will be replaced: ${visibleText(event.reason)}`,
      };
    case "server.fault":
      break;
  }
  return { colour: "red", text: `fault: ${event.detail.split("\n").map(visibleText).join("\n    | ")}` };
}

function say(event: FerrymanEvent): Said {
  if (isServerEvent(event)) return sayServer(event);
  switch (event.type) {
    case "session.opened":
      return { colour: "dim", text: "connected" };
    case "session.closed":
      return { colour: "dim", text: `left after ${event.commands} commands: ${visibleText(event.reason)}` };
    case "session.refused":
      return { colour: "yellow", text: `connection refused: ${visibleText(event.reason)}` };
    case "session.secured":
    case "tls.failed":
    case "data.unbound":
      return sayTls(event);
    case "command":
      return sayCommand(event);
    case "login.accepted":
      return { colour: "green", text: "signed in" };
    case "login.failed":
      return { colour: "red", text: `login failed as ${visible(event.name)}: ${visibleText(event.reason)}` };
    case "refused":
      return { colour: "yellow", text: `refused: ${sayRefusal(event)}` };
    case "transfer":
      return sayTransfer(event);
    case "file.changed":
      return { colour: "green", text: sayChange(event.change) };
    case "data.refused":
      break;
  }
  const from = `${visibleText(event.from)} port ${event.port}`;
  return { colour: "yellow", text: `data connection from ${from} refused: ${visibleText(event.reason)}` };
}

function sayTls(event: TlsEvent): Said {
  if (event.type === "tls.failed") return { colour: "red", text: `no TLS: ${visibleText(event.reason)}` };
  if (event.type === "data.unbound") {
    return { colour: "yellow", text: "data connections of this client do not resume its TLS session" };
  }
  const { protocol, cipher, user } = event;
  return { colour: "dim", text: `TLS: ${visibleText(protocol)} ${visibleText(cipher)}${sayUser(user)}` };
}

function sayUser(user: string | undefined): string {
  return user === undefined ? "" : `, certificate of ${visibleText(user)}`;
}

function sayCommand({ verb, argument, code }: Extract<FerrymanEvent, { type: "command" }>): Said {
  const words = [visibleText(verb), visible(argument)].filter((word) => word !== "").join(" ");
  return { ...(code >= 400 ? { colour: "yellow" } : {}), text: `${words} → ${code}` };
}

function sayRefusal({ verb, path, rule }: Extract<FerrymanEvent, { type: "refused" }>): string {
  const what = path === undefined ? visibleText(verb) : `${visibleText(verb)} ${visible(path)}`;
  return `${what} by rule ${visibleText(rule)}`;
}

function sayTransfer({ direction, path, octets, milliseconds, outcome, reason }: Transferred): Said {
  const why = reason === undefined ? "" : `: ${visibleText(reason)}`;
  return {
    colour: outcome === "complete" ? "green" : "red",
    text: `${direction} ${visible(path)} ${outcome}, ${octets} octets in ${milliseconds} ms${why}`,
  };
}

function sayChange(change: FileChange): string {
  const path = visible(change.path);
  switch (change.kind) {
    case "removed":
    case "folder-made":
    case "folder-removed":
    case "times-set":
      return `${change.kind.replace("-", " ")}: ${path}`;
    case "mode-set":
      return `mode set: ${path} to ${change.mode.toString(8).padStart(3, "0")}`;
    case "renamed":
    case "copied":
      return `${change.kind}: ${path} to ${visible(change.to)}`;
    case "linked":
      break;
  }
  return `linked: ${path} to ${visible(change.target)}`;
}

function clock(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

function whoOf(event: FerrymanEvent): string {
  if (!("peer" in event)) return event.type === "server.fault" ? visibleText(event.session ?? "-") : "-";
  const account = event.account === undefined ? "" : ` ${visibleText(event.account)}`;
  return `${visibleText(event.session)}${account} ${visibleText(event.peer.address)}`;
}
