/** The files of every transcript: names of all kinds, links, fixed times and modes. Times are far in the past: no clock shows. */
import { chmod, lutimes, mkdir, symlink, utimes, writeFile } from "node:fs/promises";

type Item = {
  /** Octets of the name, as latin1. */
  readonly name: string;
  readonly is: { readonly file: string } | { readonly link: string } | "folder";
  readonly mode: number;
  readonly time: string;
};

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** Folders stand after what they hold, or its making would change their times. */
const ITEMS: readonly Item[] = [
  { name: ".hidden", is: { file: "secret\n" }, mode: 0o600, time: "2020-01-01T00:00:00Z" },
  { name: "a file.txt", is: { file: "spaces\n" }, mode: 0o644, time: "2021-02-03T04:05:06Z" },
  { name: "caf\xe9.txt", is: { file: "latin\n" }, mode: 0o644, time: "2021-02-03T04:05:06Z" },
  { name: utf8("ümlaut.txt"), is: { file: "utf\n" }, mode: 0o644, time: "2021-02-03T04:05:06Z" },
  { name: "[a].txt", is: { file: "brackets\n" }, mode: 0o644, time: "2021-02-03T04:05:06Z" },
  { name: "digits.bin", is: { file: "0123456789" }, mode: 0o640, time: "2022-05-06T07:08:09Z" },
  { name: "greeting.txt", is: { file: "hello\n" }, mode: 0o644, time: "2023-01-31T12:34:56Z" },
  { name: "lines.txt", is: { file: "one\ntwo\r\nthree" }, mode: 0o755, time: "2020-06-15T10:00:00Z" },
  { name: "sub/one.txt", is: { file: "1" }, mode: 0o644, time: "2020-03-01T00:00:00Z" },
  { name: "sub/two.txt", is: { file: "22" }, mode: 0o644, time: "2020-02-01T00:00:00Z" },
  { name: "sub/deep/three.txt", is: { file: "333" }, mode: 0o644, time: "2020-01-01T00:00:00Z" },
  { name: "sub/deep", is: "folder", mode: 0o755, time: "2020-01-02T00:00:00Z" },
  { name: "sub", is: "folder", mode: 0o755, time: "2020-04-01T00:00:00Z" },
  { name: "told/.message", is: { file: "Welcome here.\r\nBe nice.\n" }, mode: 0o644, time: "2020-01-01T00:00:00Z" },
  { name: "told", is: "folder", mode: 0o755, time: "2020-01-01T00:00:00Z" },
  { name: "empty", is: "folder", mode: 0o755, time: "2020-01-01T00:00:00Z" },
  { name: "inside", is: { link: "greeting.txt" }, mode: 0o777, time: "2020-01-01T00:00:00Z" },
  { name: "into", is: { link: "sub" }, mode: 0o777, time: "2020-01-01T00:00:00Z" },
  { name: "nowhere", is: { link: "no/such" }, mode: 0o777, time: "2020-01-01T00:00:00Z" },
  { name: "outside", is: { link: "/etc" }, mode: 0o777, time: "2020-01-01T00:00:00Z" },
];

export async function makeFixture(root: string): Promise<void> {
  for (const folder of ["sub/deep", "told", "empty"]) await mkdir(`${root}/${folder}`, { recursive: true });
  for (const { name, is, mode, time } of ITEMS) {
    const path = Buffer.from(`${root}/${name}`, "latin1");
    const when = new Date(time);
    if (is !== "folder" && "link" in is) {
      await symlink(is.link, path);
      await lutimes(path, when, when);
      continue;
    }
    if (is !== "folder") await writeFile(path, Buffer.from(is.file, "latin1"));
    await chmod(path, mode);
    await utimes(path, when, when);
  }
}
