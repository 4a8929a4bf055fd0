/** A server that writes uploads where they are to be, as most do, and that breaks them off, renames and refuses as a test wants. */
import { type Server, type Socket, createServer } from "node:net";
import { held, listening } from "../support/ports.ts";

export type InPlace = {
  /** Octets after which so-many-th upload is cut, with a reset and a 426; undefined: not at all. */
  readonly cutAfter?: (upload: number) => number | undefined;
  /** What it says to commands in place of doing them. */
  readonly refuse?: (line: string) => string | undefined;
  /** Keeps what came in part to itself, as servers do that publish whole files. */
  readonly isWhole?: boolean;
  /** RNTO to a name that is taken gets a 553. */
  readonly keepsNames?: boolean;
  readonly files?: Readonly<Record<string, Buffer>>;
};

export type InPlaceServer = AsyncDisposable & {
  readonly port: number;
  readonly commands: readonly string[];
  readonly files: Map<string, Buffer>;
};

const SIMPLE: Readonly<Record<string, string>> = {
  USER: "331 Password?",
  PASS: "230 Hello.",
  TYPE: "200 As you like.",
  PWD: '257 "/" is it.',
  FEAT: "211-Here:\r\n SIZE\r\n211 End",
  SYST: "215 UNIX",
  QUIT: "221 Bye.",
};
const NO_FILE = "550 No such file.";

export async function inPlaceServer(wishes: InPlace): Promise<InPlaceServer> {
  const sockets = new Set<Socket>();
  const state: State = {
    wishes,
    sockets,
    commands: [],
    files: new Map(Object.entries(wishes.files ?? {})),
    uploads: 0,
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serve(socket, state);
  });
  return { commands: state.commands, files: state.files, ...(await held(server, sockets)) };
}

type State = {
  readonly wishes: InPlace;
  readonly sockets: Set<Socket>;
  readonly commands: string[];
  readonly files: Map<string, Buffer>;
  uploads: number;
};

function serve(control: Socket, state: State): void {
  const { wishes, files, commands } = state;
  let [text, from] = ["", ""];
  let passive: { readonly server: Server; readonly data: Promise<Socket> } | undefined;
  const answers: Readonly<Record<string, (path: string) => string | Promise<string>>> = {
    SIZE: (path) => (files.has(path) ? `213 ${files.get(path)?.length}` : NO_FILE),
    DELE: (path) => (files.delete(path) ? "250 Gone." : NO_FILE),
    RNFR: (path) => {
      from = path;
      return files.has(path) ? "350 And to?" : NO_FILE;
    },
    RNTO: (path) => {
      if (wishes.keepsNames === true && files.has(path)) return "553 It is there.";
      files.set(path, files.get(from) ?? Buffer.alloc(0));
      files.delete(from);
      return "250 Done.";
    },
    EPSV: async () => {
      const server = createServer();
      control.once("close", () => server.close());
      passive = { server, data: arrivalAt(server, state.sockets) };
      return `229 Entering Extended Passive Mode (|||${await listening(server)}|)`;
    },
    STOR: async (path) => await take(path, Buffer.alloc(0)),
    APPE: async (path) => await take(path, files.get(path) ?? Buffer.alloc(0)),
  };
  const take = async (path: string, before: Buffer): Promise<string> => {
    const data = await passive?.data;
    passive?.server.close();
    if (data === undefined) return "425 Nowhere.";
    state.uploads += 1;
    control.write("150 Go on.\r\n");
    const old = files.get(path);
    const keep = (content: Buffer): void => void files.set(path, content);
    const isAll = await receive(data, { before, most: wishes.cutAfter?.(state.uploads), keep });
    if (isAll || wishes.isWhole !== true) return isAll ? "226 That is all." : "426 It broke.";
    if (old === undefined) files.delete(path);
    else files.set(path, old);
    return "426 It broke.";
  };
  const answer = async (line: string): Promise<void> => {
    commands.push(line);
    const [verb = "", path = ""] = line.split(" ");
    const said = wishes.refuse?.(line) ?? SIMPLE[verb] ?? (await answers[verb]?.(path)) ?? "502 No.";
    control.write(`${said}\r\n`);
  };
  let last = Promise.resolve();
  control.on("data", (chunk: Buffer) => {
    const lines = (text + chunk.toString("latin1")).split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) last = last.then(async () => await answer(line));
  });
  control.write("220 In place.\r\n");
}

async function arrivalAt(server: Server, sockets: Set<Socket>): Promise<Socket> {
  return await new Promise((resolve) => {
    server.once("connection", (socket: Socket) => {
      socket.on("error", () => {});
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      resolve(socket);
    });
  });
}

/** @returns false where it was cut. */
async function receive(
  data: Socket,
  { before, most, keep }: { before: Buffer; most: number | undefined; keep: (content: Buffer) => void },
): Promise<boolean> {
  const chunks = [before];
  let octets = 0;
  keep(before);
  return await new Promise((resolve) => {
    let isOver = false;
    const stop = (isAll: boolean): void => {
      if (isOver) return;
      isOver = true;
      keep(Buffer.concat(chunks));
      resolve(isAll);
    };
    data.on("data", (chunk: Buffer) => {
      const part = chunk.subarray(0, (most ?? Number.POSITIVE_INFINITY) - octets);
      octets += part.length;
      chunks.push(part);
      if (octets < (most ?? Number.POSITIVE_INFINITY)) return;
      data.removeAllListeners("data");
      data.resetAndDestroy();
      stop(false);
    });
    data.on("end", () => {
      data.end();
      stop(true);
    });
    data.on("close", () => stop(false));
  });
}
