/**
 * The two clocks of a session: how long a client may take to sign in, and how long it may be idle afterwards. One timer
 * for both, set anew when another limit comes into force; it looks only when that could be over.
 */

/** Whose clocks they are. */
export type ClockOwner = {
  /** A command is being run: whoever has signed in is not idle meanwhile. */
  readonly isBusy: boolean;
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Told once, with words for the 421. */
  onOver(clock: "login" | "idle", text: string): void;
};

export class SessionClock implements Disposable {
  readonly #owner: ClockOwner;
  readonly #loginSeconds: number;
  #timer: NodeJS.Timeout | undefined;
  #signedIn = false;
  #lastActivity: number;
  /** Since when nobody is signed in: from the greeting, or from the end of the last login. */
  #signedOut: number;
  #idleSeconds: number;
  #ended = false;

  /** @param idleSeconds while nobody has signed in, and where the account says nothing. */
  constructor(
    owner: ClockOwner,
    { loginSeconds, idleSeconds }: { readonly loginSeconds: number; readonly idleSeconds: number },
  ) {
    this.#owner = owner;
    this.#lastActivity = owner.now();
    this.#signedOut = this.#lastActivity;
    this.#loginSeconds = loginSeconds;
    this.#idleSeconds = idleSeconds;
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
    this.#lastActivity = this.#owner.now();
  }

  signIn(idleSeconds: number): void {
    this.#signedIn = true;
    this.idleSeconds = idleSeconds;
  }

  signOut(): void {
    this.#signedIn = false;
    this.#signedOut = this.#owner.now();
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
    const owner = this.#owner;
    const seconds = this.#signedIn ? this.#idleSeconds : this.#loginSeconds;
    const left = (this.#signedIn ? this.#lastActivity : this.#signedOut) + seconds * 1000 - owner.now();
    if (this.#signedIn && owner.isBusy) this.#wait(seconds * 1000);
    else if (left > 0) this.#wait(left);
    else if (this.#signedIn) owner.onOver("idle", `Idle for ${seconds} s; closing the control connection.`);
    else owner.onOver("login", `No login within ${seconds} s; closing the control connection.`);
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }
}
