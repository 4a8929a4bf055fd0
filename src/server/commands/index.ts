/** The table of commands: one line each. FEAT, HELP and the README are made from it. */
import type { Command } from "../command.ts";
import { abor } from "./abor.ts";
import { acct } from "./acct.ts";
import { allo } from "./allo.ts";
import { appe } from "./appe.ts";
import { auth } from "./auth.ts";
import { avbl } from "./avbl.ts";
import { ccc } from "./ccc.ts";
import { cdup } from "./cdup.ts";
import { clnt } from "./clnt.ts";
import { csid } from "./csid.ts";
import { cwd } from "./cwd.ts";
import { dele } from "./dele.ts";
import { dsiz } from "./dsiz.ts";
import { eprt } from "./eprt.ts";
import { epsv } from "./epsv.ts";
import { feat } from "./feat.ts";
import { hash } from "./hash.ts";
import { help } from "./help.ts";
import { host } from "./host.ts";
import { lang } from "./lang.ts";
import { list } from "./list.ts";
import { mdtm } from "./mdtm.ts";
import { mfct } from "./mfct.ts";
import { mff } from "./mff.ts";
import { mfmt } from "./mfmt.ts";
import { mkd } from "./mkd.ts";
import { mlsd } from "./mlsd.ts";
import { mlst } from "./mlst.ts";
import { mode } from "./mode.ts";
import { nlst } from "./nlst.ts";
import { noop } from "./noop.ts";
import { opts } from "./opts.ts";
import { pass } from "./pass.ts";
import { pasv } from "./pasv.ts";
import { pbsz } from "./pbsz.ts";
import { port } from "./port.ts";
import { prot } from "./prot.ts";
import { pwd } from "./pwd.ts";
import { quit } from "./quit.ts";
import { rang } from "./rang.ts";
import { rein } from "./rein.ts";
import { rest } from "./rest.ts";
import { retr } from "./retr.ts";
import { rmd } from "./rmd.ts";
import { rmda } from "./rmda.ts";
import { rnfr } from "./rnfr.ts";
import { rnto } from "./rnto.ts";
import { site } from "./site.ts";
import { size } from "./size.ts";
import { smnt } from "./smnt.ts";
import { stat } from "./stat.ts";
import { stor } from "./stor.ts";
import { stou } from "./stou.ts";
import { stru } from "./stru.ts";
import { syst } from "./syst.ts";
import { type } from "./type.ts";
import { user } from "./user.ts";
import { xcrc, xmd5, xsha, xsha1, xsha256, xsha512 } from "./digests.ts";

const ALL: readonly Command[] = [
  abor,
  acct,
  allo,
  appe,
  auth,
  avbl,
  ccc,
  cdup,
  clnt,
  csid,
  cwd,
  dele,
  dsiz,
  eprt,
  epsv,
  feat,
  hash,
  help,
  host,
  lang,
  list,
  mdtm,
  mfct,
  mff,
  mfmt,
  mkd,
  mlsd,
  mlst,
  mode,
  nlst,
  noop,
  opts,
  pass,
  pasv,
  pbsz,
  port,
  prot,
  pwd,
  quit,
  rang,
  rein,
  rest,
  retr,
  rmd,
  rmda,
  rnfr,
  rnto,
  site,
  size,
  smnt,
  stat,
  stor,
  stou,
  stru,
  syst,
  type,
  user,
  xcrc,
  xmd5,
  xsha,
  xsha1,
  xsha256,
  xsha512,
];

/** Every command, by verb and alias. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  ALL.flatMap((each) => [each.verb, ...(each.aliases ?? [])].map((verb): [string, Command] => [verb, each])),
);
