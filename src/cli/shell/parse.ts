/** A line of the shell as values: chains of steps, where their output goes, and what runs beside. Pure functions. */
import { LINE_MOST, WORDS_MOST } from "./limits.ts";
import { type Operator, type Token, type Word, nextToken } from "./words.ts";

/** When a step runs: always, or if the one before went well, or badly. */
export type Joiner = "always" | "and" | "or";

export type Redirect = { readonly file: Word; readonly isAppend: boolean };

export type Step = {
  readonly joiner: Joiner;
  /** A leading `-`: a failure counts as success. */
  readonly ignoresFailure: boolean;
} & (
  | {
      readonly kind: "command";
      /** At least one. */
      readonly words: readonly Word[];
      readonly redirect?: Redirect | undefined;
      /** Behind `|`, for the host's shell as it stands. */
      readonly pipe?: string | undefined;
    }
  /** `!PROGRAM`, for the host's shell as it stands; "": a shell of its own. */
  | { readonly kind: "program"; readonly program: string }
);

/** What a `;`, `&` or the end of the line ends. */
export type Chain = { readonly steps: readonly Step[]; readonly isBackground: boolean; readonly text: string };

export type Parsed =
  | { readonly ok: true; readonly chains: readonly Chain[] }
  | { readonly ok: false; readonly problem: string };

/** @param text one line or several; each line end is as a `;`. */
export function parseCommands(text: string): Parsed {
  if (text.length > LINE_MOST)
    return { ok: false, problem: `more than ${LINE_MOST} characters: use a file and source` };
  try {
    return { ok: true, chains: new Parser(text).chains() };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.message };
    throw error;
  }
}

type OperatorToken = Extract<Token, { readonly kind: "operator" }>;

function isOneOf(operator: Operator, ...operators: readonly Operator[]): boolean {
  return operators.includes(operator);
}

class Problem extends Error {}

class Parser {
  readonly #text: string;
  #at = 0;
  #words = 0;

  constructor(text: string) {
    this.#text = text;
  }

  chains(): readonly Chain[] {
    const chains: Chain[] = [];
    for (;;) {
      this.#skipEmpty();
      if (this.#peek() === undefined) return chains;
      chains.push(this.#chain());
    }
  }

  #skipEmpty(): void {
    for (let token = this.#peek(); isOperator(token, ";") || isOperator(token, "\n"); token = this.#peek()) {
      this.#at = token.end;
    }
  }

  #chain(): Chain {
    const steps: Step[] = [];
    const start = this.#at;
    let joiner: Joiner = "always";
    for (;;) {
      steps.push(this.#step(joiner));
      const end = this.#at;
      const token = this.#peek();
      const operator = token?.kind === "operator" ? token.operator : "\n";
      if (token?.kind === "operator") this.#at = token.end;
      if (operator !== "&&" && operator !== "||") {
        return { steps, isBackground: operator === "&", text: this.#text.slice(start, end).trim() };
      }
      joiner = operator === "&&" ? "and" : "or";
    }
  }

  #step(joiner: Joiner): Step {
    const marks = /^[ \t]*([-@]*)[ \t]*/.exec(this.#text.slice(this.#at));
    const given = marks?.[1] ?? "";
    const about = { joiner, ignoresFailure: given.includes("-") };
    const behind = this.#at + (marks?.[0].length ?? 0);
    if (this.#text[behind] === "!") return { ...about, kind: "program", program: this.#rest(behind + 1) };
    if (given !== "") this.#at = behind;
    const words: Word[] = [];
    let redirect: Redirect | undefined;
    let pipe: string | undefined;
    for (let token = this.#peek(); token !== undefined; token = this.#peek()) {
      if (token.kind === "word") words.push(this.#take(token.word));
      else if (isOneOf(token.operator, ">", ">>")) redirect = this.#redirect(token);
      else if (token.operator === "|") pipe = this.#program(token);
      else break;
    }
    if (words.length === 0) throw new Problem(this.#missing());
    if (redirect !== undefined && pipe !== undefined) throw new Problem("the output can go to a file or a program");
    return { ...about, kind: "command", words, redirect, pipe };
  }

  #take(word: Word): Word {
    if (word.open !== "") throw new Problem(`the quote ${word.open} is not closed`);
    this.#words += 1;
    if (this.#words > WORDS_MOST) throw new Problem(`more than ${WORDS_MOST} words`);
    this.#at = word.end;
    return word;
  }

  #redirect({ operator, end }: OperatorToken): Redirect {
    this.#at = end;
    const token = this.#peek();
    if (token?.kind !== "word") throw new Problem(`"${operator}" needs the name of a file behind it`);
    return { file: this.#take(token.word), isAppend: operator === ">>" };
  }

  /** What `|` hands to the host's shell: up to an operator that is ours, further pipes and redirections included. */
  #program(pipe: OperatorToken): string {
    this.#at = pipe.end;
    const start = this.#at;
    let end = start;
    for (let token = this.#peek(); token !== undefined; token = this.#peek()) {
      const isOurs = token.kind === "operator" && !isOneOf(token.operator, "|", ">", ">>");
      if (isOurs) break;
      if (token.kind === "word") this.#take(token.word);
      else this.#at = token.end;
      end = this.#at;
    }
    const program = this.#text.slice(start, end).trim();
    if (program === "") throw new Problem('"|" needs a program behind it');
    return program;
  }

  /** All up to the line's end: what stands behind `!` belongs to the host's shell. */
  #rest(from: number): string {
    const end = this.#text.indexOf("\n", from);
    this.#at = end === -1 ? this.#text.length : end;
    return this.#text.slice(from, this.#at).trim();
  }

  #missing(): string {
    const token = this.#peek();
    const what = token?.kind === "operator" && token.operator !== "\n" ? `before "${token.operator}"` : "at the end";
    return `a command is missing ${what}`;
  }

  #peek(): Token | undefined {
    return nextToken(this.#text, this.#at);
  }
}

function isOperator(token: Token | undefined, operator: Operator): token is OperatorToken {
  return token?.kind === "operator" && token.operator === operator;
}

/** The place at the end of a line that is being typed. */
export type Typing = {
  /** Of the command that is being typed, those before the one at the end. */
  readonly before: readonly Word[];
  /** The word at the end; empty behind a blank. */
  readonly current: Word;
  /** A file of the host is named here, a program, or what the command makes of it. */
  readonly place: "command" | "file" | "program";
};

/** What is being typed: for completion, so any line will do. */
export function typing(line: string): Typing {
  let before: Word[] = [];
  let place: Typing["place"] = "command";
  const nothing = { text: "", pattern: "", isGlob: false, isHome: false, open: "" } as const;
  let at = 0;
  for (let token = nextToken(line, at); token !== undefined; token = nextToken(line, at)) {
    if (token.kind === "word") {
      at = token.word.end;
      if (at >= line.length) return { before, current: token.word, place: isProgram(token.word, before) ?? place };
      if (place === "file") place = "command";
      else before.push(token.word);
      if (isProgram(token.word, before.slice(1)) !== undefined) place = "program";
    } else {
      at = token.end;
      if (token.operator === ">" || token.operator === ">>") place = place === "program" ? place : "file";
      else {
        before = [];
        place = token.operator === "|" ? "program" : "command";
      }
    }
  }
  return { before, current: { ...nothing, start: line.length, end: line.length }, place };
}

function isProgram(word: Word, before: readonly Word[]): "program" | undefined {
  return before.length === 0 && word.text.startsWith("!") ? "program" : undefined;
}
