/* What the daemon tells by itself, every second.  EventSource would reconnect by itself, but at a
   fixed pace, and it cannot tell a session that is over from a daemon that is away: here each try
   waits longer than the last, and asks for the status first, which leads to the login page. */

import { get } from './api.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;
/** A status comes every second: after so many ms without one, what is shown is old. */
const OLD_AFTER = 3500;
/** After so many ms the connection is taken for dead, whatever TCP believes. */
const DEAD_AFTER = 10000;

export class Stream {
  /** `heard`: {status, record, skipped} take what comes, `state` is told 'live' or 'stale'. */
  constructor(heard) {
    this.heard = heard;
    this.state = '';
    this.wait = FIRST_WAIT;
    this.lastHeard = performance.now();
    this.source = null;
    this.retry = 0;
  }

  /** Listen from now on. */
  start() {
    this.#open();
    setInterval(() => this.#look(), 1000);
    addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => this.#hurry());
  }

  #open() {
    this.lastHeard = performance.now();
    this.source = new EventSource('api/events');
    this.source.addEventListener('status', (event) => this.#alive(event));
    this.source.addEventListener('record', (event) => this.heard.record(JSON.parse(event.data)));
    this.source.addEventListener('skipped', (event) => this.heard.skipped(JSON.parse(event.data)));
    this.source.onerror = () => this.#lost();
  }

  #alive(event) {
    this.lastHeard = performance.now();
    this.wait = FIRST_WAIT;
    this.#tell('live');
    this.heard.status(JSON.parse(event.data));
  }

  #look() {
    const quiet = performance.now() - this.lastHeard;
    if (quiet > OLD_AFTER) this.#tell('stale');
    if (quiet > DEAD_AFTER && this.source) this.#lost();
  }

  #lost() {
    this.source?.close();
    this.source = null;
    this.#tell('stale');
    clearTimeout(this.retry);
    // Jitter: all the pages of a call centre shall not come back in the same instant.
    this.retry = setTimeout(() => this.#again(), this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  async #again() {
    try {
      await get('api/status');
      this.#open();
    } catch {
      this.#lost();
    }
  }

  /** Somebody looks again, or the network is back: do not wait for the next try. */
  #hurry() {
    if (this.source || document.hidden) return;
    this.wait = FIRST_WAIT;
    this.#lost();
  }

  #tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.heard.state(state);
  }
}
