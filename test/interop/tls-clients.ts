/** How each real client is told to use TLS, and which of them resume the control connection's TLS session for data. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client as BasicFtp } from "basic-ftp";
import { type Ran, run } from "../support/run.ts";

export type TlsVersion = "1.2" | "1.3";
export type TlsPlace = {
  readonly port: number;
  readonly folder: string;
  readonly implicit: boolean;
  readonly version: TlsVersion;
};

/** Each action throws when the client failed. */
export type TlsClient = {
  readonly name: string;
  /** What has to be installed; "" for what comes from npm. */
  readonly program: string;
  readonly versions: readonly TlsVersion[];
  /** Whether it can begin with TLS. */
  readonly hasImplicit: boolean;
  /** Versions with which its data connections resume, so that it works where that is required. */
  readonly resumes: readonly TlsVersion[];
  /** Set for those that cut the connection of an empty file before their own handshake is out. */
  readonly cutsEmptyFiles?: true;
  readonly list: (place: TlsPlace) => Promise<string>;
  readonly download: (place: TlsPlace, name: string) => Promise<Buffer>;
  readonly upload: (place: TlsPlace, name: string) => Promise<void>;
};

function succeed(ran: Ran, what: string): string {
  if (ran.code !== 0) throw new Error(`${what}: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

function curlClient(name: string, more: readonly string[]): TlsClient {
  const curl = async (
    { port, implicit, version, folder }: TlsPlace,
    args: readonly string[],
    path = "",
  ): Promise<string> => {
    const url = `${implicit ? "ftps" : "ftp"}://127.0.0.1:${port}/${encodeURIComponent(path)}`;
    const versions = version === "1.2" ? ["--tls-max", "1.2"] : ["--tlsv1.3"];
    const all = [
      "-sS",
      "-g",
      "-k",
      "--ssl-reqd",
      "-u",
      "ann:secret",
      "--max-time",
      "30",
      ...versions,
      ...more,
      ...args,
      url,
    ];
    return succeed(await run("curl", all, { cwd: folder }), name);
  };
  return {
    name,
    program: "curl",
    versions: ["1.2", "1.3"],
    hasImplicit: true,
    // Of several files in one run curl 7.88 resumes every second one alone on TLS 1.3; here each has a run of its own.
    resumes: ["1.2", "1.3"],
    list: async (place) => curl(place, []),
    async download(place, file) {
      const to = join(place.folder, "curl.out");
      await curl(place, ["-o", to], file);
      return readFile(to);
    },
    async upload(place, file) {
      await curl(place, ["-T", join(place.folder, file)], file);
    },
  };
}

function lftpClient(passive: boolean): TlsClient {
  const lftp = async ({ port, implicit, folder }: TlsPlace, command: string): Promise<string> => {
    const script = [
      "set cmd:fail-exit yes",
      "set net:max-retries 1",
      "set ssl:verify-certificate no",
      "set ftp:ssl-force yes",
      "set ftp:ssl-protect-data yes",
      "set ftp:ssl-protect-list yes",
      `set ftp:passive-mode ${passive ? "on" : "off"}`,
      `open -u ann,secret ${implicit ? "ftps" : "ftp"}://127.0.0.1:${port}`,
      command,
    ];
    return succeed(await run("lftp", ["--norc", "-c", script.join("; ")], { cwd: folder }), "lftp");
  };
  return {
    name: `lftp ${passive ? "passive" : "active"}`,
    program: "lftp",
    // GnuTLS; lftp lets the user choose no version.
    versions: ["1.3"],
    hasImplicit: true,
    resumes: ["1.3"],
    list: async (place) => lftp(place, "ls"),
    async download(place, file) {
      const to = join(place.folder, "lftp.out");
      await lftp(place, `set xfer:clobber on; get "${file}" -o "${to}"`);
      return readFile(to);
    },
    upload: async (place, file) => void (await lftp(place, `put "${join(place.folder, file)}" -o "${file}"`)),
  };
}

/** What Python's documentation leaves to its users: data connections with the session of the control connection. */
const FTPLIB = `
import ftplib, ssl, sys
port, version, resume, action, local, name = sys.argv[1:7]
class Resuming(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
ftp = (Resuming if resume == "1" else ftplib.FTP_TLS)(context=context, timeout=30)
ftp.connect("127.0.0.1", int(port))
ftp.login("ann", "secret")
ftp.prot_p()
if action == "list":
    print(sorted(name for name, facts in ftp.mlsd() if facts["type"] == "file"))
elif action == "get":
    with open(local, "wb") as out: ftp.retrbinary("RETR " + name, out.write)
elif action == "ccc":
    ftp.ccc()
    print(ftp.pwd(), sorted(ftp.nlst()))
else:
    with open(local, "rb") as source: ftp.storbinary("STOR " + name, source)
print(ftp.quit())
`;

export async function ftplibRun(
  { port, version }: TlsPlace,
  [resume, action, local, name]: readonly [boolean, string, string, string],
): Promise<string> {
  const args = ["-c", FTPLIB, `${port}`, version, resume ? "1" : "0", action, local, name];
  return succeed(await run("python3", args), "ftplib");
}

function ftplibClient(resume: boolean): TlsClient {
  return {
    name: `Python ftplib ${resume ? "with session=" : "as it is"}`,
    program: "python3",
    versions: ["1.2", "1.3"],
    hasImplicit: false,
    resumes: resume ? ["1.2", "1.3"] : [],
    list: async (place) => ftplibRun(place, [resume, "list", "-", "-"]),
    async download(place, name) {
      const to = join(place.folder, "ftplib.out");
      await ftplibRun(place, [resume, "get", to, name]);
      return readFile(to);
    },
    upload: async (place, name) => void (await ftplibRun(place, [resume, "put", join(place.folder, name), name])),
  };
}

async function withBasicFtp<T>(place: TlsPlace, work: (client: BasicFtp) => Promise<T>): Promise<T> {
  const client = new BasicFtp();
  const version = `TLSv${place.version}` as const;
  try {
    await client.access({
      host: "127.0.0.1",
      port: place.port,
      user: "ann",
      password: "secret",
      secure: place.implicit ? "implicit" : true,
      secureOptions: { rejectUnauthorized: false, minVersion: version, maxVersion: version },
    });
    return await work(client);
  } finally {
    client.close();
  }
}

const basicFtp: TlsClient = {
  name: "basic-ftp",
  program: "",
  versions: ["1.2", "1.3"],
  hasImplicit: true,
  resumes: ["1.2", "1.3"],
  cutsEmptyFiles: true,
  list: async (place) =>
    withBasicFtp(place, async (client) => (await client.list()).map(({ name }) => name).join("\n")),
  async download(place, name) {
    const to = join(place.folder, "basic.out");
    await withBasicFtp(place, async (client) => client.downloadTo(to, name));
    return readFile(to);
  },
  async upload(place, name) {
    await withBasicFtp(place, async (client) => client.uploadFrom(join(place.folder, name), name));
  },
};

export const TLS_CLIENTS: readonly TlsClient[] = [
  curlClient("curl EPSV", []),
  curlClient("curl PASV", ["--disable-epsv"]),
  lftpClient(true),
  lftpClient(false),
  ftplibClient(false),
  ftplibClient(true),
  basicFtp,
];
