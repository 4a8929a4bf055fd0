/** How each real client is told to list, download, upload and resume, in each data mode that it can be made to use. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ran, run } from "../support/run.ts";

export type Mode = "EPSV" | "PASV" | "EPRT" | "PORT";
export type Place = { readonly host: string; readonly port: number; readonly folder: string };

/** Each action throws when the client failed; `download` gives what the client wrote. */
export type Client = {
  readonly name: string;
  /** What has to be installed; "" for what comes from npm. */
  readonly program: string;
  readonly package: string;
  /** By address family. */
  readonly modes: { readonly IPv4: readonly Mode[]; readonly IPv6: readonly Mode[] };
  readonly list: (place: Place, mode: Mode) => Promise<string>;
  readonly download: (place: Place, mode: Mode, name: string) => Promise<Buffer>;
  /** Uploads `folder/<name>`; absent for clients that only download. */
  readonly upload?: (place: Place, mode: Mode, name: string) => Promise<void>;
};

function url({ host, port }: Place, path = ""): string {
  return `ftp://ann:secret@${host.includes(":") ? `[${host}]` : host}:${port}/${path}`;
}

function succeed(ran: Ran, what: string): string {
  if (ran.code !== 0) throw new Error(`${what}: exit ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

const CURL_MODE: Readonly<Record<Mode, readonly string[]>> = {
  EPSV: ["--ftp-pasv"],
  PASV: ["--ftp-pasv", "--disable-epsv"],
  EPRT: ["--ftp-port", "-"],
  PORT: ["--ftp-port", "-", "--disable-eprt"],
};

const curl: Client = {
  name: "curl",
  program: "curl",
  package: "curl",
  modes: { IPv4: ["EPSV", "PASV", "EPRT", "PORT"], IPv6: ["EPSV", "EPRT"] },
  list: async (place, mode) => succeed(await run("curl", ["-sS", "-g", ...CURL_MODE[mode], url(place)]), "curl list"),
  async download(place, mode, name) {
    const to = join(place.folder, "curl.out");
    succeed(
      await run("curl", ["-sS", "-g", "-o", to, ...CURL_MODE[mode], url(place, encodeURIComponent(name))]),
      "curl",
    );
    return readFile(to);
  },
  async upload(place, mode, name) {
    const from = join(place.folder, name);
    succeed(
      await run("curl", ["-sS", "-g", "-T", from, ...CURL_MODE[mode], url(place, encodeURIComponent(name))]),
      "curl -T",
    );
  },
};

function lftpScript(place: Place, mode: Mode, command: string): readonly string[] {
  const passive = mode === "EPSV" || mode === "PASV";
  const settings = [
    "set cmd:fail-exit yes",
    "set net:max-retries 1",
    "set ftp:ssl-allow no",
    `set ftp:passive-mode ${passive ? "on" : "off"}`,
    `set ftp:prefer-epsv ${mode === "EPSV" || mode === "EPRT" ? "on" : "off"}`,
    `open ${url(place)}`,
  ];
  return ["--norc", "-c", [...settings, command].join("; ")];
}

const lftp: Client = {
  name: "lftp",
  program: "lftp",
  package: "lftp",
  // Its EPRT over IPv6 names the address `::` (4.9.2), which attack 3 has us refuse; it then goes on in passive mode.
  modes: { IPv4: ["EPSV", "PASV", "PORT"], IPv6: ["EPSV"] },
  list: async (place, mode) => succeed(await run("lftp", lftpScript(place, mode, "ls")), "lftp ls"),
  async download(place, mode, name) {
    const to = join(place.folder, "lftp.out");
    succeed(await run("lftp", lftpScript(place, mode, `set xfer:clobber on; get "${name}" -o "${to}"`)), "lftp get");
    return readFile(to);
  },
  async upload(place, mode, name) {
    succeed(await run("lftp", lftpScript(place, mode, `put "${join(place.folder, name)}" -o "${name}"`)), "lftp put");
  },
};

async function tnftpRun(place: Place, mode: Mode, commands: readonly string[]): Promise<string> {
  const passive = mode === "EPSV" || mode === "PASV";
  const input = [
    ...(mode === "PASV" || mode === "PORT" ? ["epsv4 off"] : []),
    `open ${place.host} ${place.port}`,
    "user ann secret",
    "binary",
    ...commands,
    "bye",
    "",
  ].join("\n");
  const ran = await run("tnftp", ["-n", "-v", passive ? "-p" : "-A"], { input, cwd: place.folder });
  const text = succeed(ran, "tnftp");
  // tnftp ends with 0 whatever happened: its replies tell.
  if (/^(?:4\d\d|5\d\d) /m.test(text)) throw new Error(`tnftp: ${text}`);
  return text;
}

const tnftp: Client = {
  name: "tnftp",
  program: "tnftp",
  package: "tnftp",
  modes: { IPv4: ["EPSV", "PASV", "EPRT", "PORT"], IPv6: ["EPSV", "EPRT"] },
  list: async (place, mode) => tnftpRun(place, mode, ["ls"]),
  async download(place, mode, name) {
    await tnftpRun(place, mode, [`get "${name}" tnftp.out`]);
    return readFile(join(place.folder, "tnftp.out"));
  },
  async upload(place, mode, name) {
    await tnftpRun(place, mode, [`put "${name}"`]);
  },
};

const NCFTP_MODE = { PASV: "-F", PORT: "-E" } as const;
const ncftpArgs = (place: Place, mode: Mode): readonly string[] => [
  mode === "PORT" ? NCFTP_MODE.PORT : NCFTP_MODE.PASV,
  "-u",
  "ann",
  "-p",
  "secret",
  "-P",
  `${place.port}`,
];

const ncftp: Client = {
  name: "ncftp",
  program: "ncftpget",
  package: "ncftp",
  modes: { IPv4: ["PASV", "PORT"], IPv6: [] },
  list: async (place, mode) => {
    const ran = await run("ncftpls", ["-l", ...ncftpArgs(place, mode), `ftp://${place.host}/`], { cwd: place.folder });
    return succeed(ran, "ncftpls");
  },
  async download(place, mode, name) {
    const ran = await run("ncftpget", ["-V", "-Z", ...ncftpArgs(place, mode), place.host, ".", name], {
      cwd: place.folder,
    });
    succeed(ran, "ncftpget");
    return readFile(join(place.folder, name));
  },
  async upload(place, mode, name) {
    const ran = await run("ncftpput", ["-V", ...ncftpArgs(place, mode), place.host, ".", name], { cwd: place.folder });
    succeed(ran, "ncftpput");
  },
};

const wget: Client = {
  name: "wget",
  program: "wget",
  package: "wget",
  modes: { IPv4: ["PASV", "PORT"], IPv6: ["EPSV", "EPRT"] },
  async list(place, mode) {
    const to = join(place.folder, "wget.list");
    succeed(await run("wget", [...wgetArgs(mode), "-O", to, url(place)], { cwd: place.folder }), "wget list");
    return readFile(to, "utf8");
  },
  async download(place, mode, name) {
    const to = join(place.folder, "wget.out");
    const from = url(place, encodeURIComponent(name));
    succeed(await run("wget", [...wgetArgs(mode), "-O", to, from], { cwd: place.folder }), "wget");
    return readFile(to);
  },
};

function wgetArgs(mode: Mode): readonly string[] {
  const active = mode === "PORT" || mode === "EPRT";
  return ["-nv", "--no-config", "--tries=1", "--timeout=20", ...(active ? ["--no-passive-ftp"] : [])];
}

const FTPLIB = `
import ftplib, sys
host, port, passive, action, local, name = sys.argv[1:7]
ftp = ftplib.FTP(timeout=30)
ftp.connect(host, int(port))
ftp.login("ann", "secret")
ftp.set_pasv(passive == "1")
if action == "list":
    ftp.retrlines("LIST")
    print(sorted(name for name, facts in ftp.mlsd() if facts["type"] == "file"))
elif action == "get":
    with open(local, "wb") as out: ftp.retrbinary("RETR " + name, out.write)
else:
    with open(local, "rb") as source: ftp.storbinary("STOR " + name, source)
print(ftp.quit())
`;

async function ftplibRun(
  place: Place,
  mode: Mode,
  [action, local, name]: readonly [string, string, string],
): Promise<string> {
  const passive = mode === "EPSV" || mode === "PASV" ? "1" : "0";
  const args = ["-c", FTPLIB, place.host, `${place.port}`, passive, action, local, name];
  return succeed(await run("python3", args), "ftplib");
}

const ftplib: Client = {
  name: "Python ftplib",
  program: "python3",
  package: "python3",
  modes: { IPv4: ["PASV", "PORT"], IPv6: ["EPSV", "EPRT"] },
  list: async (place, mode) => ftplibRun(place, mode, ["list", "-", "-"]),
  async download(place, mode, name) {
    const to = join(place.folder, "ftplib.out");
    await ftplibRun(place, mode, ["get", to, name]);
    return readFile(to);
  },
  async upload(place, mode, name) {
    await ftplibRun(place, mode, ["put", join(place.folder, name), name]);
  },
};

export const CLIENTS: readonly Client[] = [curl, lftp, tnftp, ncftp, wget, ftplib];
