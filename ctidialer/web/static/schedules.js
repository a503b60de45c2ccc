/* The table of schedule configurations: why their numbers are, or are not, called, and what waits.
   It is not there where nothing is scheduled at all. */

import { get } from './api.js';
import { byId, el, setAttribute, setText } from './dom.js';
import { exactly, explanation, onLanguage, t, toneOf, when, whole, word } from './i18n.js';
import { PAGE, Pages } from './pages.js';
import { onFilter, poll } from './poll.js';
import { label, row, Rows, sayEmpty } from './rows.js';
import { badge, setBadge, showWarned } from './tones.js';

const COLUMNS = ['name', 'state', 'due', 'next'];

export class Schedules {
  constructor() {
    this.found = null;
    this.rows = new Rows(byId('schedules'), scheduleRow);
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
    return get('api/schedules', { q: this.#search, offset: this.pages.offset, limit: PAGE });
  }

  #show(found) {
    this.found = found;
    if (this.pages.show(found.total)) this.load();
    const { schedules, total, all_due: due, scheduled } = found;
    byId('schedules-section').hidden = !(total || scheduled || this.#search);
    this.rows.show(schedules, (one) => one.name);
    setText(byId('schedules-count'),
      t('schedules.total', { due: whole(due), scheduled: whole(scheduled) }));
    sayEmpty(byId('schedules-none'),
      total ? '' : t(this.#search ? 'schedules.none' : 'schedules.no_schedules'));
  }
}

function scheduleRow({ name }) {
  const { tr, cells } = row(COLUMNS.length);
  const state = badge();
  const sentence = el('span', { class: 'sentence' });
  cells[0].classList.add('name');
  cells[1].classList.add('badges');
  const warned = el('span', { class: 'warned' });
  cells[1].append(el('div', { class: 'stack' }, state, sentence, warned));
  cells[2].classList.add('number');
  setText(cells[0], name);
  const update = ({ due, next_due: next, explained, warnings }) => {
    label(cells, COLUMNS.map((column) => t(`schedules.${column}`)));
    setBadge(state, toneOf(explained), word('reason', explained.reason));
    setText(sentence, explanation(explained));
    showWarned(warned, warnings);
    setText(cells[2], whole(due));
    setText(cells[3], next == null ? '–' : when(next));
    setAttribute(cells[3], 'title', next == null ? null : exactly(next));
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}
