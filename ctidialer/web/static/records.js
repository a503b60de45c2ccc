/* The last records: as they come, or, on demand, further back. */

import { get } from './api.js';
import { byId, setAttribute, setText } from './dom.js';
import { onLanguage, t, whole, word } from './i18n.js';
import { onFilter } from './poll.js';
import { recordRow } from './record_row.js';
import { Rows, sayEmpty } from './rows.js';
import { recordsShown } from './tabs.js';
import { toast } from './toasts.js';
import { OUTCOMES, setOptions } from './tones.js';

/** How many records are asked for at a time. */
const page = () => Math.min(50, recordsShown());
/** Rows are drawn this often (ms) at most, however fast records come. */
const DRAW_EVERY = 250;

export class Records {
  constructor() {
    this.records = [];
    this.next = null;
    this.mode = 'live'; // or 'held' (by the reader), or 'older'
    this.newer = 0;
    this.skipped = 0;
    this.drawing = 0;
    this.asked = 0;
    this.rows = new Rows(byId('records'), recordRow);
    onFilter(byId('records-filters'), () => this.load());
    byId('records-older').addEventListener('click', () => this.#older());
    byId('records-live').addEventListener('click', () => this.#backToLive());
    byId('records-hold').addEventListener('click', () => this.#hold());
    onLanguage(() => this.#relabel());
  }

  /** Show the newest records there are; those that come are added. */
  load() {
    this.mode = 'live';
    return this.#show({ limit: page() });
  }

  /** The connection is back: records were missed meanwhile. */
  reconnected() {
    if (this.mode === 'live') this.load();
  }

  /** A number has ended. */
  add(record) {
    if (!this.#wanted(record)) return;
    if (this.mode !== 'live') this.newer += 1;
    else if (!this.records.some((known) => known.id === record.id)) this.records.unshift(record);
    this.records.length = Math.min(this.records.length, recordsShown());
    this.#drawSoon();
  }

  /** So many more have ended than the stream tells of. */
  skip(count) {
    if (this.mode === 'live') this.skipped += count;
    else this.newer += count;
    this.#drawSoon();
  }

  get #whyNone() {
    if (this.mode === 'older') return 'records.no_older';
    return Object.values(this.#filters).some(Boolean) ? 'records.none' : 'records.no_records';
  }

  get #filters() {
    return {
      number: byId('records-number').value.trim(),
      task: byId('records-task').value.trim(),
      outcome: byId('records-outcome').value,
    };
  }

  #wanted(record) {
    const { number, task, outcome } = this.#filters;
    return (record.number ?? '').includes(number)
      && (!task || (record.task ?? record.config) === task)
      && (!outcome || record.outcome === outcome);
  }

  async #show(query) {
    const mine = ++this.asked;
    try {
      const found = await get('api/records', { ...this.#filters, ...query });
      if (mine !== this.asked) return;
      this.records = found.records;
      this.next = found.next;
      this.newer = 0;
      this.skipped = 0;
      this.#draw();
    } catch (error) {
      if (error.status) toast(t('records.failed', { problem: error.message }), { tone: 'bad' });
    }
  }

  /** Records came since the page was loaded: where it ends now has to be asked for first. */
  async #older() {
    if (this.mode === 'live') await this.#show({ limit: Math.max(page(), this.records.length) });
    this.mode = 'older';
    await this.#show({ limit: page(), before: this.next });
    byId('records-title').scrollIntoView({ block: 'start' });
  }

  async #backToLive() {
    await this.load();
    byId('records-older').focus({ preventScroll: true });
  }

  #hold() {
    if (this.mode === 'held') {
      this.load();
      return;
    }
    this.mode = 'held';
    this.#draw();
  }

  #relabel() {
    setOptions(byId('records-outcome'), t('records.all'), OUTCOMES,
      (value) => word('outcome', value));
    this.#draw();
  }

  #drawSoon() {
    this.drawing ||= setTimeout(() => this.#draw(), DRAW_EVERY);
  }

  #draw() {
    clearTimeout(this.drawing);
    this.drawing = 0;
    this.rows.show(this.records, (record) => record.id);
    sayEmpty(byId('records-none'), this.records.length ? '' : t(this.#whyNone));
    setText(byId('records-count'),
      this.skipped ? t('records.skipped', { count: whole(this.skipped) }) : '');
    setText(byId('records-waiting'),
      this.newer ? t('records.waiting', { count: whole(this.newer) }) : '');
    setAttribute(byId('records-hold'), 'aria-pressed', this.mode === 'held');
    byId('records-live').hidden = this.mode !== 'older';
    byId('records-older').disabled = !this.next;
  }
}
