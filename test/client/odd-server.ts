/** A server with one file, as odd as a test wants it: slow, stuck, of few connections, or without a true REST. */
import { type Server, type Socket, createServer } from "node:net";
import { held, listening } from "../support/ports.ts";

export type Oddness = {
  readonly file: Buffer;
  /** "ignore": 350, and then the file from its start. Default "ok". */
  readonly rest?: "ok" | "refuse" | "ignore";
  /** What is said when the client closes the data connection early. Default 426. */
  readonly afterCut?: number;
  /** Control connections; those after get a 421. */
  readonly most?: number;
  /** Octets each 10 ms that so-many-th control connection sends; 0: none after the first so many. Default: all at once. */
  readonly speed?: (connection: number) => number | undefined;
  /** Octets after which so-many-th transfer is cut, with a 426; undefined: not at all. */
  readonly cutAfter?: (transfer: number) => number | undefined;
  readonly hasSize?: boolean;
};

export type OddServer = AsyncDisposable & {
  readonly port: number;
  /** Every command, with the number of its connection. */
  readonly commands: readonly string[];
};

const TICK_MS = 10;

export async function oddServer(oddness: Oddness): Promise<OddServer> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let [open, count] = [0, 0];
  const transfers = { count: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    if (open >= (oddness.most ?? Number.POSITIVE_INFINITY)) {
      socket.end("421 Too many connections.\r\n");
      return;
    }
    open += 1;
    count += 1;
    socket.on("close", () => (open -= 1));
    serve(socket, { oddness, id: count, commands, sockets, transfers });
  });
  return { commands, ...(await held(server, sockets)) };
}

type Serving = {
  readonly oddness: Oddness;
  readonly id: number;
  readonly commands: string[];
  readonly sockets: Set<Socket>;
  readonly transfers: { count: number };
};

const SIMPLE: Readonly<Record<string, string>> = {
  USER: "331 Password?",
  PASS: "230 Hello.",
  TYPE: "200 As you like.",
  NOOP: "200 Still here.",
  PWD: '257 "/" is it.',
  MDTM: "213 20260101000000",
  SYST: "215 UNIX",
  QUIT: "221 Bye.",
};

function serve(control: Socket, { oddness, id, commands, sockets, transfers }: Serving): void {
  let [offset, text] = [0, ""];
  let passive: { readonly server: Server; readonly data: Promise<Socket> } | undefined;
  const say = (line: string): void => void control.write(`${line}\r\n`);
  const answer = async (line: string): Promise<void> => {
    commands.push(`${id} ${line}`);
    const [verb = "", argument = ""] = line.split(" ");
    const simple = SIMPLE[verb];
    if (simple !== undefined) say(simple);
    else if (verb === "FEAT") say("211-Here:\r\n MDTM\r\n SIZE\r\n211 End");
    else if (verb === "SIZE") say(oddness.hasSize === false ? "502 No." : `213 ${oddness.file.length}`);
    else if (verb === "REST") {
      offset = (oddness.rest ?? "ok") === "ok" ? Number(argument) : 0;
      say(oddness.rest === "refuse" ? "502 No." : "350 From there.");
    } else if (verb === "EPSV") {
      passive?.server.close();
      const server = createServer();
      control.once("close", () => server.close());
      passive = { server, data: accepted(server) };
      say(`229 Entering Extended Passive Mode (|||${await listening(server)}|)`);
    } else if (verb === "RETR" && passive !== undefined) {
      const data = await passive.data;
      sockets.add(data);
      passive.server.close();
      say("150 Here it comes.");
      say(await send(data, { ...oddness, offset, id, transfer: (transfers.count += 1) }));
      offset = 0;
    } else say("502 No.");
  };
  let last = Promise.resolve();
  control.on("data", (chunk: Buffer) => {
    const lines = (text + chunk.toString("latin1")).split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) last = last.then(async () => await answer(line));
  });
  say("220 Odd.");
}

async function accepted(server: Server): Promise<Socket> {
  return await new Promise((resolve) => {
    server.once("connection", (socket: Socket) => {
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** @returns the last reply. */
async function send(
  data: Socket,
  {
    file,
    offset,
    speed,
    afterCut = 426,
    cutAfter,
    id,
    transfer,
  }: Oddness & { offset: number; id: number; transfer: number },
): Promise<string> {
  const isCut = Promise.withResolvers<string>();
  data.on("close", () => isCut.resolve(`${afterCut} The connection was closed.`));
  const most = cutAfter?.(transfer);
  const whole = most === undefined ? file.subarray(offset) : file.subarray(offset, offset + most);
  const pace = speed?.(id);
  if (pace === undefined) {
    data.end(whole);
    data.resume();
    return await Promise.race([isCut.promise, ended(data, most === undefined)]);
  }
  let at = 0;
  const timer = setInterval(() => {
    data.write(whole.subarray(at, (at += pace)));
    if (at < whole.length) return;
    clearInterval(timer);
    data.end();
  }, TICK_MS);
  data.on("close", () => clearInterval(timer));
  data.resume();
  return await Promise.race([isCut.promise, ended(data, most === undefined)]);
}

async function ended(data: Socket, isWhole: boolean): Promise<string> {
  await new Promise((resolve) => data.once("finish", resolve));
  return isWhole ? "226 That is all." : "426 It broke.";
}
