/* Which time the charts and some of the figures tell of: the last ten minutes, which the stream
   keeps up to date, or the last hour or today, which are asked for. */

import { get } from './api.js';
import { byId, choice, remember, remembered } from './dom.js';
import { SPANS } from './history.js';

const PERIOD = 15_000;

export class Ranges {
  /** `changed` is called when the history tells of another time, or knows more of it. */
  constructor(history, changed) {
    this.history = history;
    this.changed = changed;
    this.timer = 0;
    this.mark = choice(byId('ranges'), (span) => this.#choose(span));
    document.addEventListener('visibilitychange', () => document.hidden || this.load());
    const span = remembered('span');
    if (span in SPANS) this.history.choose(span);
    this.mark(this.history.span);
  }

  /** Ask for what the stream does not tell. */
  async load() {
    clearTimeout(this.timer);
    const { span, isLive } = this.history;
    if (isLive) return;
    if (!document.hidden) await this.#ask(span);
    if (span === this.history.span) this.timer = setTimeout(() => this.load(), PERIOD);
  }

  async #ask(span) {
    try {
      const found = await get('api/history', { span });
      if (span !== this.history.span) return;
      this.history.showOlder(found);
      this.changed();
    } catch {
      // The charts stay as they are; that nothing is heard is said in the header.
    }
  }

  #choose(span) {
    remember('span', span);
    this.history.choose(span);
    this.mark(span);
    this.changed();
    this.load();
  }
}
