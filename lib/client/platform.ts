/**
 * What differs between browsers, servers and telephones, and what tests put in its place.
 *
 * @module
 */

/** Where a client runs. */
export interface Platform {
  /** Milliseconds; a clock that goes on while the machine sleeps. */
  now(): number;
  /** Calls back once; returns what takes it back. */
  after(delayMs: number, callback: () => void): () => void;
  /** 0 … 1. */
  random(): number;
  /** Tells what the page goes through; returns the end of that. */
  watch(watcher: Watcher): () => void;
}

/** Told what the page goes through. */
export interface Watcher {
  /** The network may be back, or gone; or somebody looks at the page again. */
  onChange(): void;
  /** The page goes into the back/forward cache. */
  onSleep(): void;
  /** The page is back from there. */
  onWake(): void;
}

/** What browsers have, and others may lack. */
interface Page {
  readonly document?: EventTarget & { readonly visibilityState: string };
  addEventListener?: EventTarget["addEventListener"];
  removeEventListener?: EventTarget["removeEventListener"];
}

/** `setTimeout` takes what is longer, `Infinity` too, for no time at all. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The platform that this runs on. */
export function thisPlatform(): Platform {
  return {
    // `performance.now()` stands still in some browsers while the machine sleeps.
    now: () => Date.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    watch: (watcher) => watchPage(watcher, globalThis as unknown as Page),
  };
}

/**
 * Listens to a page. In Node and Deno nothing is told; in React Native, which lacks these events, the application
 * calls `client.wake()`.
 */
function watchPage(watcher: Watcher, page: Page): () => void {
  const { document } = page;
  const isCached = (event: Event) => (event as PageTransitionEvent).persisted;
  const ends = [
    listen(page, "online", watcher.onChange),
    listen(page, "offline", watcher.onChange),
    listen(page, "pagehide", (event) => isCached(event) && watcher.onSleep()),
    listen(page, "pageshow", (event) => isCached(event) && watcher.onWake()),
    listen(document ?? {}, "visibilitychange", () => {
      if (document?.visibilityState === "visible") watcher.onChange();
    }),
  ];
  return () => ends.forEach((end) => end());
}

interface PageTransitionEvent extends Event {
  readonly persisted: boolean;
}

function listen(
  target: Pick<Page, "addEventListener" | "removeEventListener">,
  type: string,
  listener: (event: Event) => void,
): () => void {
  target.addEventListener?.(type, listener);
  return () => target.removeEventListener?.(type, listener);
}

/**
 * A word that nobody guesses. `crypto.randomUUID()` is for `https:` alone.
 *
 * @returns 32 characters.
 */
export function toRandomWord(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
