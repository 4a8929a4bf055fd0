/** The jobs of the benchmark by basic-ftp, in a process of its own: `node basic-ftp.ts '{"job":…,"where":…}'`. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type AccessOptions, Client } from "basic-ftp";
import { z } from "zod";

const asked = z.object({
  job: z.object({
    kind: z.enum(["get", "put", "get-many", "put-many", "list"]),
    path: z.string().default(""),
    to: z.string().default(""),
    from: z.string().default(""),
    folder: z.string().default(""),
    connections: z.number().default(1),
  }),
  where: z.object({ port: z.number(), user: z.string(), password: z.string(), secure: z.boolean() }),
});

type Asked = z.infer<typeof asked>;

const { job, where } = asked.parse(JSON.parse(process.argv[2] ?? "{}"));

async function signedIn({ port, user, password, secure }: Asked["where"]): Promise<Client> {
  const client = new Client();
  const access: AccessOptions = { host: "127.0.0.1", port, user, password, secure };
  await client.access({ ...access, secureOptions: { rejectUnauthorized: false } });
  return client;
}

/** One client for each connection, each of which takes the next name. */
async function byTurns(
  names: readonly string[],
  move: (client: Client, name: string) => Promise<unknown>,
): Promise<void> {
  const queue = names.values();
  const worker = async (): Promise<void> => {
    const client = await signedIn(where);
    for (const name of queue) await move(client, name);
    client.close();
  };
  await Promise.all(Array.from({ length: job.connections }, worker));
}

async function work(client: Client): Promise<void> {
  switch (job.kind) {
    case "get":
      await client.downloadTo(job.to, job.path);
      break;
    case "put":
      await client.uploadFrom(job.from, job.path);
      break;
    case "list":
      for (const { name } of await client.list(job.folder)) console.log(name);
      break;
    case "get-many": {
      if (job.connections === 1) {
        await client.downloadToDir(job.to, job.folder);
        break;
      }
      const names = (await client.list(job.folder)).map(({ name }) => name);
      await byTurns(names, async (each, name) => await each.downloadTo(join(job.to, name), `${job.folder}/${name}`));
      break;
    }
    case "put-many": {
      if (job.connections === 1) {
        await client.uploadFromDir(job.from, job.folder);
        break;
      }
      const names = await readdir(job.from);
      await byTurns(names, async (each, name) => await each.uploadFrom(join(job.from, name), `${job.folder}/${name}`));
      break;
    }
  }
}

const client = await signedIn(where);
await work(client);
client.close();
