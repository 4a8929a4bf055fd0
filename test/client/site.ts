/** A web site on a free port of loopback for tests: pages by path, with what a server of HTTP does about ranges and times. */
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { listening } from "../support/ports.ts";

export type Page = {
  readonly body: string | Buffer;
  readonly type?: string;
  readonly modified?: Date;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;
export type Pages = Record<string, Page | string | Answer>;

export type Site = AsyncDisposable & {
  readonly port: number;
  readonly pages: Pages;
  /** `GET /path`, in the order in which they came. */
  readonly asked: readonly string[];
  readonly requests: readonly IncomingMessage[];
  url(path?: string): string;
};

/** @param pages by path with its query; of a text that begins with `/` the place to which it leads. */
export async function startSite(pages: Pages): Promise<Site> {
  const asked: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    requests.push(request);
    const page = pages[request.url ?? ""];
    if (typeof page === "function") page(request, response);
    else if (page === undefined) response.writeHead(404).end("none");
    else if (typeof page === "string" && page.startsWith("/")) response.writeHead(301, { location: page }).end();
    else answer(typeof page === "string" ? { body: page, type: "text/html" } : page, request, response);
  });
  const port = await listening(server);
  return {
    port,
    pages,
    asked,
    requests,
    url: (path = "/") => `http://127.0.0.1:${port}${path}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Status 200, 206 or 304, as nginx answers for a file. */
export function answer(page: Page, request: IncomingMessage, response: ServerResponse): void {
  const { type = "application/octet-stream", modified, headers: more = {} } = page;
  const body = Buffer.from(page.body);
  const tag = `"${body.length.toString(16)}-${(modified?.getTime() ?? 0).toString(16)}"`;
  const headers = {
    "content-type": type,
    etag: tag,
    ...(modified === undefined ? {} : { "last-modified": modified.toUTCString() }),
    ...more,
  };
  const since = request.headers["if-modified-since"];
  if (since !== undefined && modified !== undefined && modified.getTime() <= Date.parse(since)) {
    response.writeHead(304, headers).end();
    return;
  }
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  if (from !== undefined && request.headers["if-range"] === tag) {
    const rest = body.subarray(Number(from));
    const range = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { ...headers, "content-length": rest.length, "content-range": range }).end(rest);
    return;
  }
  response.writeHead(200, { ...headers, "content-length": body.length }).end(body);
}
