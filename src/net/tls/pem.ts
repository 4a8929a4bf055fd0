/** The armour around certificates and keys (`-----BEGIN …-----`): taken apart and put on. */

/** Characters of a line of base64, as OpenSSL writes and older readers demand. */
const LINE = 64;
const BEGIN = "-----BEGIN ";
const DASHES = "-----";

export type PemBlock = {
  /** `CERTIFICATE`, `PRIVATE KEY` … */
  readonly label: string;
  /** From BEGIN to END, both included. */
  readonly text: string;
};

/** The blocks in their order. Text before, between and behind them is nobody's, as OpenSSL has it; a cut-off one is left out. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  let from = text.indexOf(BEGIN);
  while (from !== -1) {
    const labelAt = from + BEGIN.length;
    const label = text.slice(labelAt, text.indexOf(DASHES, labelAt));
    const end = `${DASHES}END ${label}${DASHES}`;
    const next = text.indexOf(BEGIN, labelAt);
    // What begins again before it ends is cut off; this also keeps the search linear.
    const whole = text.slice(from, next === -1 ? undefined : next);
    const endAt = /^[A-Z0-9 ]{1,64}$/.test(label) ? whole.indexOf(end) : -1;
    if (endAt !== -1) blocks.push({ label, text: `${whole.slice(0, endAt)}${end}\n` });
    from = next;
  }
  return blocks;
}

export function pemOf(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return [`${BEGIN}${label}${DASHES}`, ...lines, `${DASHES}END ${label}${DASHES}`, ""].join("\n");
}
