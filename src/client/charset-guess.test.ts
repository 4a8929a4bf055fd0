/** Tests of guessing the character set of names: what is clear is found, and what is not stays unsaid. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "../base/bytes.ts";
import { joined } from "../protocol/octets.ts";
import { guessCharset } from "./charset-guess.ts";
import { encodeTable, nameDecoder } from "./charset-tables.ts";

function octets(text: string, charset: string): ByteString {
  const decoder = nameDecoder(charset);
  assert.ok(decoder, charset);
  const table = encodeTable(decoder);
  return joined(
    Array.from(text, (character) => {
      const found = character < "\x80" ? character : table.get(character);
      assert.ok(found !== undefined, `${charset} has no ${character}`);
      return found;
    }).join(""),
  );
}

const RUSSIAN =
  "Документы|привет|ПРИВЕТ|Отчёт за 2024.doc|фото|Новая папка|Музыка|договор|Счёт-фактура|Программы|ёлка|Клиенты|Видео|ЖКХ|Москва|прайс-лист.xls|Иванов И.И.";
const JAPANESE =
  "日本語.txt|ひらがな|カタカナ|写真|東京の地図.pdf|会議資料|新しいフォルダ|見積書|契約書_最終版.doc|経理部|議事録|お知らせ.txt|祭り|猫";
const NAMES: readonly (readonly [charset: string, names: string])[] = [
  ["windows-1251", RUSSIAN],
  ["koi8-r", RUSSIAN],
  ["ibm866", RUSSIAN],
  ["shift_jis", JAPANESE],
  ["euc-jp", JAPANESE],
  [
    "gbk",
    "我的文档|报告|新建文件夹|照片.jpg|北京|音乐|下载|财务报表.xls|会议记录|张伟|上海地图|软件|说明书.pdf|学习资料|李白诗集",
  ],
  ["big5", "我的文件|報告|新增資料夾|照片.jpg|台北|音樂|下載|財務報表.xls|會議記錄|陳先生|軟體|說明書.pdf|學習資料"],
  ["euc-kr", "한글|내 문서|보고서.doc|사진|음악|새 폴더|서울|회의록|자료|다운로드|김치찌개|계약서|영화|대한민국"],
  [
    "windows-1252",
    "résumé.pdf|Müller.txt|größe|Ñandú|Año 2024|façade|Ærø|Übersicht|naïve|Téléchargements|Älvängen|Fußgängerübergänge|été|préféré|à|ça va|cœur|Straße|Grüße – 5 €",
  ],
];

test("some names of a language tell their set", () => {
  for (const [charset, text] of NAMES) {
    const names = text.split("|").map((name) => octets(name, charset));
    assert.deepEqual(guessCharset(names), { charset, isSure: true }, charset);
    assert.deepEqual(guessCharset(names.slice(0, 5)), { charset, isSure: true }, `${charset}, five names`);
  }
});

test("one name tells it too, or nothing is believed: never a wrong set", () => {
  let sure = 0;
  for (const [charset, text] of NAMES) {
    for (const name of text.split("|")) {
      const guess = guessCharset([octets(name, charset)]);
      if (guess.isSure) assert.equal(guess.charset, charset, name);
      if (guess.isSure) sure += 1;
    }
  }
  assert.ok(sure > 80, `${sure} of single names were sure`);
});

test("some names of another set do not hide it", () => {
  const russian = RUSSIAN.split("|").map((name) => octets(name, "windows-1251"));
  assert.equal(guessCharset([...russian, octets("résumé", "windows-1252")]).charset, "windows-1251");
  const japanese = JAPANESE.split("|").map((name) => octets(name, "shift_jis"));
  const mixed = guessCharset([...japanese, octets("été", "windows-1252")]);
  assert.ok(!mixed.isSure || mixed.charset === "shift_jis");
});

test("sets that are not known here are not taken for others", () => {
  const others: readonly (readonly [charset: string, names: string])[] = [
    ["windows-1253", "Ελληνικά|Έγγραφα|Μουσική|Φωτογραφίες"],
    ["windows-1255", "מסמכים|תמונות|שלום"],
    ["windows-1256", "مستندات|صور|مرحبا"],
    ["windows-1250", "Łódź|żółć|Zażółć gęślą jaźń"],
    ["windows-1254", "Şubat|ığdır|İstanbul|çalışma"],
    ["windows-874", "เอกสาร|รูปภาพ"],
  ];
  for (const [charset, text] of others) {
    const names = text.split("|").map((name) => octets(name, charset));
    for (const some of [names, ...names.map((name) => [name])]) {
      const guess = guessCharset(some);
      assert.ok(!guess.isSure || guess.charset === "windows-1252", `${charset} was taken for ${guess.charset}`);
    }
  }
  assert.equal(guessCharset([]).isSure, false);
  assert.equal(guessCharset([joined("\xfe\xa4")]).isSure, false);
});
