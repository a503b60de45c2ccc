/* The table of schedule configurations: why their numbers are, or are not, called, and what waits.
   It is not there where nothing is scheduled at all. */

import { get, order } from './api.js';
import { byId, el, setAttribute, setText } from './dom.js';
import { exactly, explanation, onLanguage, t, toneOf, when, whole, word } from './i18n.js';
import { Pages } from './pages.js';
import { onFilter, poll } from './poll.js';
import { label, row, Rows, sayEmpty } from './rows.js';
import { toast } from './toasts.js';
import { rowsAPage } from './tabs.js';
import { badge, setBadge, showWarned } from './tones.js';
import { askWhy } from './why.js';

const COLUMNS = ['name', 'state', 'calls', 'due', 'next'];

export class Schedules {
  constructor() {
    this.found = null;
    this.rows = new Rows(byId('schedules'), (one) => scheduleRow(one, (what) => this.#order(what)));
    this.load = poll(() => this.#ask(), (found) => this.#show(found),
      (error) => error.status && sayEmpty(byId('schedules-none'), error.message));
    this.pages = new Pages(byId('schedules-pages'), () => this.load());
    onFilter(byId('schedules-filters'), () => {
      this.pages.reset();
      this.load();
    });
    onLanguage(() => this.found && this.#show(this.found));
  }

  get #search() {
    return byId('schedules-search').value;
  }

  #ask() {
    return get('api/schedules', { q: this.#search, offset: this.pages.offset, limit: rowsAPage() });
  }

  /** Pause or resume a configuration: a pause asks for the reason, and all can be undone. */
  async #order({ name, paused }, isUndo = false) {
    const why = paused && !isUndo ? await askWhy('pause', { task: name }) : '';
    if (why == null) return;
    try {
      await order(`api/schedules/${encodeURIComponent(name)}/${paused ? 'pause' : 'resume'}`, { why });
    } catch (error) {
      const problem = error.status ? error.message : t('toast.away');
      toast(t('toast.failed', { task: name, problem }), { about: name, tone: 'bad' });
      return;
    }
    const undo = isUndo ? null : () => this.#order({ name, paused: !paused }, true);
    toast(t(paused ? 'toast.paused' : 'toast.resumed', { task: name }), { about: name, undo });
    this.load();
  }

  #show(found) {
    this.found = found;
    if (this.pages.show(found.total)) this.load();
    const { schedules, total, all_due: due, scheduled } = found;
    const isThere = total > 0 || scheduled > 0 || this.#search !== '';
    byId('schedules-section').hidden = byId('schedules-tab').hidden = !isThere;
    this.rows.show(schedules, (one) => one.name);
    setText(byId('schedules-count'),
      t('schedules.total', { due: whole(due), scheduled: whole(scheduled) }));
    sayEmpty(byId('schedules-none'),
      total ? '' : t(this.#search ? 'schedules.none' : 'schedules.no_schedules'));
  }
}

/** `give` is called with {name, paused} when the configuration shall be paused or go on. */
function scheduleRow({ name }, give) {
  const { tr, cells } = row(COLUMNS.length + 1);
  const button = el('button', { type: 'button' });
  let isPaused = false;
  button.addEventListener('click', () => give({ name, paused: !isPaused }));
  cells[5].classList.add('action');
  cells[5].append(button);
  const state = badge();
  const sentence = el('span', { class: 'sentence' });
  cells[0].classList.add('name');
  cells[1].classList.add('badges');
  const warned = el('span', { class: 'warned' });
  cells[1].append(el('div', { class: 'stack' }, state, sentence, warned));
  for (const cell of cells.slice(2, 4)) cell.classList.add('number');
  setText(cells[0], name);
  const update = (one) => {
    const { due, next_due: next, explained, warnings, calls, limit, paused } = one;
    isPaused = paused;
    label(cells, COLUMNS.map((column) => t(`schedules.${column}`)));
    setBadge(state, toneOf(explained), word('reason', explained.reason));
    setText(sentence, explanation(explained));
    showWarned(warned, warnings);
    setText(cells[2], limit == null ? whole(calls) : `${whole(calls)} / ${whole(limit)}`);
    setText(cells[3], whole(due));
    setText(cells[4], next == null ? '–' : when(next));
    setAttribute(cells[4], 'title', next == null ? null : exactly(next));
    const what = paused ? 'resume' : 'pause';
    setText(button, t(`tasks.${what}`));
    setAttribute(button, 'aria-label', t(`tasks.${what}_one`, { task: name }));
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}
