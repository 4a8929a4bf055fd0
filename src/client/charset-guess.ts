/**
 * In which character set names are that are no UTF-8: each set that they may be of is tried, and what comes out is judged by
 * how names of its languages look. Only a clear winner is believed; nobody's files are lost by a wrong guess, as every name
 * is sent back in its own octets (`charset.ts`).
 */
import { TextDecoder } from "node:util";
import { type ByteString, octetsOf } from "../base/bytes.ts";
import { encodeTable, nameDecoder } from "./charset-tables.ts";

export type Guess = {
  /** As `TextDecoder` knows it. */
  readonly charset: string;
  /** It is plausible, and by far more so than any other. */
  readonly isSure: boolean;
};

/** What stands in a text beside a character: words are judged as a whole. */
type Place = { readonly before: string; readonly after: string; readonly lead: number };
/** From -1, which names of this set do not have, to 1, which they mostly have. */
type Judge = (character: string, place: Place) => number;

/** The least that a set must reach, and by how much it must be better than the next. */
const [PLAUSIBLE, MARGIN] = [0.5, 0.2];
/** Characters above ASCII that must have been seen: fewer prove nothing. */
const PROOF = 4;
/** Of the names of a set some may be of another. */
const WRONG_MOST = 0.1;
/** What each octet of a name counts that is none of the set. */
const INVALID = -1;

const LATIN_LETTERS = new Set("éèàùâêîôûëïüöäßçñáíóúåøæœãõìòÉÈÀÖÄÜÅØÆÇÑÁÍÓÚÊÔ");
const SIGNS = new Set("–—’‘“”«»„…°№™®©·¿¡");
const CYRILLIC: ReadonlyMap<string, number> = new Map(
  [
    ["оеаинт", 1],
    ["срвлкмдпу", 0.8],
    ["яыьгзбчй", 0.4],
    ["хжшюцщэфъё", 0.1],
    ["іїєґ", 0.1],
  ].flatMap(([letters, points]) => Array.from(String(letters), (letter) => [letter, Number(points)] as const)),
);

/** The commonest characters of names and texts. */
const SIMPLIFIED = new Set(
  "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活件档报告图片照资料数据视频音乐电影载建夹书网版目录安装程序系统说明项计划总结会议合同财务",
);
const TRADITIONAL = new Set(
  "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活件檔報告圖片照資料數據視頻音樂電影載建夾書網版目錄安裝程式統說明項計畫總結會議合同財務",
);
const JAPANESE = new Set(
  "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親験英医仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢資像報告表議録書類版管部課設定説明関係予算注文請求見積契約成績写真動画音声保存",
);
const HANGUL = new Set(
  "이다는의에가을를은하고한도지로기사서나시자인정스리어대아부일수장제해보안게상전원주면동성소구조신공문비국연회여과마유생선물중경방관설무발위화학교실글료진파음악영그림드폴더목록개용업새복본계획결약내첨참작강습모세와으만년월분",
);
const VOWELS = /[аеёиоуыэюяіїє]/iu;

/** By set. Those of one octet for each character may be of any octets at all: there looks alone decide. */
const JUDGES: readonly (readonly [string, Judge])[] = [
  ["windows-1252", latin],
  ["windows-1251", cyrillic],
  ["koi8-r", cyrillic],
  ["ibm866", cyrillic],
  ["shift_jis", eastern(JAPANESE, { plain: [0x88, 0x97], hasKana: true })],
  ["euc-jp", eastern(JAPANESE, { plain: [0xb0, 0xcf], hasKana: true })],
  ["gbk", eastern(SIMPLIFIED, { plain: [0xb0, 0xd7], hasKana: false })],
  ["big5", eastern(TRADITIONAL, { plain: [0xa4, 0xc6], hasKana: false })],
  ["euc-kr", korean],
];

/** @param names octets of names that are no UTF-8. */
export function guessCharset(names: readonly ByteString[]): Guess {
  const rated = JUDGES.map(([charset, judge]) => ({ charset, ...rate(names, charset, judge) }));
  const [best, next] = rated.toSorted((one, other) => other.points - one.points);
  if (best === undefined || next === undefined) return { charset: "windows-1252", isSure: false };
  const isProof = best.count >= PROOF || best.charset === "windows-1252";
  const isSure = isProof && best.points >= PLAUSIBLE && best.points - next.points >= MARGIN;
  return { charset: best.charset, isSure };
}

type Rating = { readonly points: number; readonly count: number };

function rate(names: readonly ByteString[], charset: string, judge: Judge): Rating {
  const decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
  const plain = nameDecoder(charset);
  if (plain === undefined) return { points: INVALID, count: 0 };
  const table = encodeTable(plain);
  let [sum, count, wrong] = [0, 0, 0];
  for (const name of names) {
    const text = decoded(name, decoder);
    if (text === undefined) {
      wrong += 1;
      sum += INVALID;
      count += 1;
      continue;
    }
    const characters = Array.from(text);
    for (const [at, character] of characters.entries()) {
      if ((character.codePointAt(0) ?? 0) < 0x80) continue;
      const lead = table.get(character)?.charCodeAt(0) ?? 0;
      sum += judge(character, { before: characters[at - 1] ?? "", after: characters[at + 1] ?? "", lead });
      count += 1;
    }
    if (judge === cyrillic) sum -= soundless(text);
  }
  return wrong > names.length * WRONG_MOST
    ? { points: INVALID, count: 0 }
    : { points: sum / Math.max(count, 1), count };
}

function decoded(name: ByteString, decoder: TextDecoder): string | undefined {
  try {
    return decoder.decode(octetsOf(name));
  } catch {
    return undefined;
  }
}

/** Letters with accents stand alone or in twos among letters without. */
function latin(character: string, { before, after }: Place): number {
  if (SIGNS.has(character)) return 0.3;
  if (!LATIN_LETTERS.has(character)) return /\p{L}/u.test(character) ? -0.1 : -0.6;
  const isAmong = /[a-z]/i.test(before) || /[a-z]/i.test(after);
  const isBetween = isAbove(before) && isAbove(after);
  return isBetween ? -1 : isAmong ? 1 : 0.2;
}

function isAbove(character: string): boolean {
  return (character.codePointAt(0) ?? 0) >= 0x80;
}

/** Small letters after great ones, never the other way round, and none beside Latin ones. */
function cyrillic(character: string, { before, after }: Place): number {
  const small = character.toLowerCase();
  const points = CYRILLIC.get(small);
  if (points === undefined) return SIGNS.has(character) ? 0.3 : -1;
  if (/[a-z]/i.test(before) || /[a-z]/i.test(after)) return -1;
  if (character === small) return points;
  const isAfterSmall = CYRILLIC.has(before);
  return isAfterSmall ? -1 : points - (CYRILLIC.has(before.toLowerCase()) ? 0.2 : 0);
}

/** @returns points to take away: words of four letters or more without a vowel, and three consonants or more together. */
function soundless(text: string): number {
  let points = 0;
  for (const [word] of text.matchAll(/[а-яёіїєґ]{4,}/giu)) if (!VOWELS.test(word)) points += word.length * 0.7;
  for (const [run] of text.matchAll(/[бвгджзйклмнпрстфхцчшщ]{4,}/giu)) points += (run.length - 3) * 0.3;
  return points;
}

type Eastern = {
  /** First octets of the characters that schools teach: rarer ones stand behind them. */
  readonly plain: readonly [from: number, to: number];
  readonly hasKana: boolean;
};

function eastern(common: ReadonlySet<string>, { plain: [from, to], hasKana }: Eastern): Judge {
  return (character, { lead }) => {
    if (/[\u3040-\u30ff]/u.test(character)) return hasKana ? 1 : -0.5;
    if (/[\u3000-\u303f\uff01-\uff60]/u.test(character)) return 0.3;
    if (!/\p{Script=Han}/u.test(character)) return -1;
    if (common.has(character)) return 1.2;
    return lead >= from && lead <= to ? 0.3 : -0.6;
  };
}

/** The 2,350 syllables of KS X 1001; Windows has added rare ones before them. */
function korean(character: string, { lead }: Place): number {
  if (/[\u3000-\u303f\uff01-\uff60]/u.test(character)) return 0.3;
  if (!/[\uac00-\ud7a3]/u.test(character)) return -1;
  if (HANGUL.has(character)) return 1.2;
  return lead >= 0xb0 && lead <= 0xc8 ? 0.4 : -0.6;
}
