/** What the doctor says of one thing: whether it works, by which evidence, and what to do about it. */
export type Finding = {
  /** Stable, for programs. */
  readonly id: string;
  /** "good": as fast and safe as it can be; "less": it works, another way would be better; "bad": it does not work. */
  readonly state: "good" | "less" | "bad";
  /** One sentence without a full stop. */
  readonly says: string;
  /** What was seen, a line each. */
  readonly evidence: readonly string[];
  /** What to change or type. */
  readonly cure?: string;
};
