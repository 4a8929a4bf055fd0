/**
 * The two clocks of a session: how long a client may take to sign in, and how long it may be idle afterwards. One timer
 * for both, set anew when another limit comes into force; it looks only when that could be over.
 */

export type ClockTerms = {
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly loginSeconds: number;
  /** While nobody has signed in, and where the account says nothing. */
  readonly idleSeconds: number;
  /** A command is being run: whoever has signed in is not idle meanwhile. */
  readonly isBusy: () => boolean;
  /** Told once, with words for the 421. */
  readonly onOver: (over: { readonly clock: "login" | "idle"; readonly text: string }) => void;
};

export class SessionClock implements Disposable {
  readonly #terms: ClockTerms;
  #timer: NodeJS.Timeout | undefined;
  #signedIn = false;
  #lastActivity: number;
  /** Since when nobody is signed in: from the greeting, or from the end of the last login. */
  #signedOut: number;
  #idleSeconds: number;
  #ended = false;

  constructor(terms: ClockTerms) {
    this.#terms = terms;
    this.#lastActivity = terms.now();
    this.#signedOut = this.#lastActivity;
    this.#idleSeconds = terms.idleSeconds;
  }

  get idleSeconds(): number {
    return this.#idleSeconds;
  }

  set idleSeconds(seconds: number) {
    this.#idleSeconds = seconds;
    this.start();
  }

  /** The client did something. */
  touch(): void {
    this.#lastActivity = this.#terms.now();
  }

  signIn(idleSeconds: number): void {
    this.#signedIn = true;
    this.idleSeconds = idleSeconds;
  }

  signOut(): void {
    this.#signedIn = false;
    this.#signedOut = this.#terms.now();
    this.start();
  }

  start(): void {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#look();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    const { now, loginSeconds, isBusy, onOver } = this.#terms;
    const seconds = this.#signedIn ? this.#idleSeconds : loginSeconds;
    const left = (this.#signedIn ? this.#lastActivity : this.#signedOut) + seconds * 1000 - now();
    if (this.#signedIn && isBusy()) this.#wait(seconds * 1000);
    else if (left > 0) this.#wait(left);
    else if (this.#signedIn) onOver({ clock: "idle", text: `Idle for ${seconds} s; closing the control connection.` });
    else onOver({ clock: "login", text: `No login within ${seconds} s; closing the control connection.` });
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }
}
