/* The table of lines: how full each is, and which are resting or out of use. */

import { get } from './api.js';
import { byId, el, setText } from './dom.js';
import { onLanguage, t, when, whole, word } from './i18n.js';
import { PAGE, Pages } from './pages.js';
import { onFilter, poll } from './poll.js';
import { LINE_STATES } from './reasons.js';
import { label, row, Rows, sayEmpty } from './rows.js';
import { badge, setBadge, setOptions } from './tones.js';

const COLUMNS = ['name', 'state', 'calls', 'faults', 'until'];

export class Lines {
  constructor() {
    this.found = null;
    this.inUse = null; // nothing is known before the first status
    this.rows = new Rows(byId('lines'), lineRow);
    this.load = poll(() => this.#ask(), (found) => this.#show(found),
      (error) => error.status && sayEmpty(byId('lines-none'), error.message));
    this.pages = new Pages(byId('lines-pages'), () => this.load());
    onFilter(byId('lines-filters'), () => {
      this.pages.reset();
      this.load();
    });
    onLanguage(() => this.#relabel());
  }

  /** Bring the lines on this page up to date; those that the daemon does not name are free. */
  status(status) {
    this.inUse = status.lines_in_use;
    if (!this.found) return;
    const told = new Map(status.lines.map((line) => [line.name, line]));
    for (const line of this.found.lines) {
      const free = status.lines_left_out ? line : { ...line, state: 'free', calls: 0, until: null };
      const { state, calls, count, faults, until } = told.get(line.name) ?? free;
      Object.assign(line, { state, calls, count, faults, until });
    }
    this.#render();
  }

  #ask() {
    return get('api/lines', {
      q: byId('lines-search').value,
      state: byId('lines-state').value,
      offset: this.pages.offset,
      limit: PAGE,
    });
  }

  #show(found) {
    this.found = found;
    if (this.pages.show(found.total)) this.load();
    this.#render();
  }

  #relabel() {
    setOptions(byId('lines-state'), t('lines.all'), LINE_STATES, (value) => word('line', value));
    if (this.found) this.#show(this.found);
  }

  #render() {
    const { lines, total } = this.found;
    this.rows.show(lines, (line) => line.name);
    const filtered = byId('lines-search').value || byId('lines-state').value;
    const used = this.inUse == null ? '–' : whole(this.inUse);
    setText(byId('lines-count'),
      t(filtered ? 'lines.matching' : 'lines.total', { count: whole(total), used }));
    sayEmpty(byId('lines-none'), total ? '' : t(filtered ? 'lines.none' : 'lines.no_lines'));
  }
}

function lineRow({ name }) {
  const { tr, cells } = row(COLUMNS.length);
  const state = badge();
  cells[0].classList.add('name');
  cells[1].classList.add('badges');
  cells[1].append(state);
  for (const cell of cells.slice(2, 4)) cell.classList.add('number');
  setText(cells[0], name);
  const update = (line) => {
    label(cells, COLUMNS.map((column) => t(`lines.${column}`)));
    setBadge(state, LINE_STATES[line.state], word('line', line.state));
    setText(cells[2], `${whole(line.calls)} / ${line.count == null ? '∞' : whole(line.count)}`);
    setText(cells[3], whole(line.faults));
    setText(cells[4], line.until == null ? '–' : when(line.until));
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}
