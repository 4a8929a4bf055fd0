/** Proxies and hosts for the tests of dialling: small, scripted, on free ports of the loopback, and gone at the end of the test. */
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createConnection, createServer } from "node:net";

export type Local = AsyncDisposable & { readonly port: number; readonly connections: () => number };

/** Default: any free port of 127.0.0.1. */
type Where = { readonly host?: string; readonly port?: number };

/** A server whose every connection is handed to `serve`; all are closed at the end. */
export async function listen(serve: (socket: Socket) => void, where: Where = {}): Promise<Local> {
  return disposable(createServer({ allowHalfOpen: true }, serve), where);
}

/** The same for a server that is there, such as one of TLS. */
export async function disposable(server: Server, { host = "127.0.0.1", port = 0 }: Where = {}): Promise<Local> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: portOf(server),
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Greets, as FTP servers do, and sends back what it gets. */
export function greetingEcho(socket: Socket): void {
  socket.write("220 hello\r\n");
  socket.pipe(socket);
}

export type Asked = { readonly head: string; readonly target: string };

export type ConnectTerms = {
  /** What it says; undefined: it connects, says 200 and relays. */
  readonly answer?: (asked: Asked) => string | undefined;
  /** As in `SocksTerms`. */
  readonly speaksFirst?: boolean;
};

/** An HTTP proxy. */
export function connectProxy(asked: Asked[], { answer = () => undefined, speaksFirst = false }: ConnectTerms = {}) {
  return (socket: Socket): void => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      socket.off("data", onData);
      const request = { head: text, target: /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(text)?.[1] ?? "" };
      asked.push(request);
      const said = answer(request);
      if (said !== undefined) return void socket.end(said);
      const port = Number(/\d+$/.exec(request.target)?.[0]);
      return relay(socket, { port, before: "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n", speaksFirst });
    };
    socket.on("data", onData);
  };
}

export type SocksTerms = {
  /** What the proxy wants; none: it takes everybody. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Reply code of RFC 1928 §6 for a target; 0: it connects. */
  readonly reply?: (target: string) => number;
  /** The proxy's answer goes out though the host is one that waits for its client, as with TLS. */
  readonly speaksFirst?: boolean;
};

/** A SOCKS 5 proxy. `asked` gets each target as `kind:address`. Names and addresses all lead to the loopback. */
export function socks5Proxy(asked: string[], terms: SocksTerms = {}) {
  return (socket: Socket): void => {
    void serveSocks5(socket, { asked, terms }).catch(() => socket.destroy());
  };
}

async function serveSocks5(socket: Socket, { asked, terms }: { asked: string[]; terms: SocksTerms }): Promise<void> {
  const { login, reply = () => 0, speaksFirst = false } = terms;
  const take = talk(socket);
  const methods = await take((await take(2))[1] ?? 0);
  const method = login === undefined ? 0 : methods.includes(2) ? 2 : 255;
  socket.write(Buffer.of(5, method));
  const isIn = method === 0 || (method === 2 && (await isLoggedIn(socket, { take, login })));
  if (!isIn) return void socket.end();
  const kind = (await take(4))[3] ?? 0;
  const address = await take(kind === 1 ? 4 : kind === 4 ? 16 : ((await take(1))[0] ?? 0));
  const port = (await take(2)).readUInt16BE();
  const target = `${kind}:${kind === 3 ? address.toString() : address.toString("hex")}`;
  asked.push(target);
  const answer = Buffer.of(5, reply(target), 0, 1, 0, 0, 0, 0, 0, 0);
  if (answer[1] !== 0) return void socket.end(answer);
  return relay(socket, { port, before: answer, speaksFirst });
}

type Take = (count: number) => Promise<Buffer>;

async function isLoggedIn(
  socket: Socket,
  { take, login }: { take: Take; login: SocksTerms["login"] },
): Promise<boolean> {
  const user = (await take((await take(2))[1] ?? 0)).toString();
  const password = (await take((await take(1))[0] ?? 0)).toString();
  const isRight = user === login?.user && password === login.password;
  socket.write(Buffer.of(1, isRight ? 0 : 1));
  return isRight;
}

/** A SOCKS 4a proxy that answers with `code` and relays after 90. @param speaksFirst as in `SocksTerms`. */
export function socks4Proxy(asked: string[], code = 90, speaksFirst = false) {
  return (socket: Socket): void => {
    socket.once("data", (octets: Buffer) => {
      asked.push(octets.subarray(4).toString("latin1"));
      const answer = Buffer.of(0, code, 0, 0, 0, 0, 0, 0);
      if (code !== 90) return void socket.end(answer);
      return relay(socket, { port: octets.readUInt16BE(2), before: answer, speaksFirst });
    });
  };
}

/** Reads octets by count. */
function talk(socket: Socket): Take {
  let rest = Buffer.alloc(0);
  return async (count) => {
    while (rest.length < count) {
      const chunk: unknown = socket.read();
      if (Buffer.isBuffer(chunk)) rest = Buffer.concat([rest, chunk]);
      else await once(socket, "readable");
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
}

type RelayTerms = { readonly port: number; readonly before: string | Buffer; readonly speaksFirst?: boolean };

/** The answer goes out in one piece with the first octets of the host: what follows an answer must not be lost. */
function relay(socket: Socket, { port, before, speaksFirst = false }: RelayTerms): void {
  const onward = createConnection({ port, host: "127.0.0.1" });
  onward.on("error", () => socket.destroy());
  socket.on("close", () => onward.destroy());
  const join = (first = ""): void => {
    socket.write(Buffer.concat([Buffer.from(before), Buffer.from(first, "latin1")]));
    onward.pipe(socket);
    socket.pipe(onward);
  };
  if (speaksFirst) onward.once("connect", () => join());
  else onward.once("data", (first: Buffer) => join(first.toString("latin1")));
}
