/* The table of lines: how full each is, and which are resting or out of use. */

import { get } from './api.js';
import { byId, el, setAttribute, setText } from './dom.js';
import { onLanguage, t, when, whole, word } from './i18n.js';
import { putBack, takeOut, tryNow } from './line_orders.js';
import { Pages } from './pages.js';
import { onFilter, poll } from './poll.js';
import { LINE_STATES } from './reasons.js';
import { label, row, Rows, sayEmpty } from './rows.js';
import { rowsAPage } from './tabs.js';
import { badge, setBadge, setOptions } from './tones.js';

const COLUMNS = ['name', 'state', 'calls', 'faults', 'until'];
/** States of lines that somebody should look at. */
const TROUBLES = ['never_left', 'out_of_use', 'malformed', 'taken_out'];
/** States that end with a trial call. */
const RESTS = ['out_of_use', 'never_left'];

export class Lines {
  constructor() {
    this.found = null;
    this.inUse = null; // nothing is known before the first status
    this.states = {};
    this.rows = new Rows(byId('lines'), (line) => lineRow(line, () => this.load()));
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
    this.states = status.line_states;
    if (!this.found) return;
    const told = new Map(status.lines.map((line) => [line.name, line]));
    for (const line of this.found.lines) {
      const free = status.lines_left_out ? line : { ...line, state: 'free', calls: 0, until: null, off: null };
      const { state, calls, count, faults, until, off } = told.get(line.name) ?? free;
      Object.assign(line, { state, calls, count, faults, until, off });
    }
    this.#render();
  }

  /** How many lines take no call, by why: of a thousand lines the first page does not have all. */
  #warn() {
    const bad = Object.entries(this.states).filter(([state, count]) => count && TROUBLES.includes(state));
    setText(byId('lines-bad'), bad.map(([state, count]) => `${word('line', state)} ${whole(count)}`).join(' · '));
    byId('lines-bad').hidden = !bad.length;
  }

  #ask() {
    return get('api/lines', {
      q: byId('lines-search').value,
      state: byId('lines-state').value,
      order: 'worst',
      offset: this.pages.offset,
      limit: rowsAPage(),
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
    this.#warn();
    sayEmpty(byId('lines-none'), total ? '' : t(filtered ? 'lines.none' : 'lines.no_lines'));
  }
}

/** Who has taken a line out of use, why, and since when. */
function orderSaid({ order: { by, why, since } }) {
  const parts = [];
  if (by) parts.push(t('lines.off_by', { by }));
  if (why) parts.push(t('lines.off_why', { why }));
  if (since != null) parts.push(t('lines.off_since', { when: when(since) }));
  return parts.join(' · ');
}

function untilSaid({ off, until }) {
  const end = until ?? off?.until;
  if (end != null) return when(end);
  return off ? t('lines.until_back') : '–';
}

/** `done` is called when the line was ordered something. */
function lineRow({ name }, done) {
  const { tr, cells } = row(COLUMNS.length + 1);
  const state = badge();
  const sentence = el('span', { class: 'sentence' });
  const orders = {};
  let line = null;
  const actions = {
    off: () => takeOut(name, done), on: () => putBack(line, done), try: () => tryNow(name, done) };
  for (const [what, act] of Object.entries(actions)) {
    orders[what] = el('button', { type: 'button' });
    orders[what].addEventListener('click', act);
  }
  cells[5].classList.add('action');
  cells[5].append(el('div', { class: 'orders' }, orders.try, orders.off, orders.on));
  cells[0].classList.add('name');
  cells[1].classList.add('badges');
  cells[1].append(el('div', { class: 'stack' }, state, sentence));
  for (const cell of cells.slice(2, 4)) cell.classList.add('number');
  setText(cells[0], name);
  const update = (changed) => {
    line = changed;
    label(cells, COLUMNS.map((column) => t(`lines.${column}`)));
    setBadge(state, LINE_STATES[line.state], word('line', line.state));
    setText(cells[2], `${whole(line.calls)} / ${line.count == null ? '∞' : whole(line.count)}`);
    setText(cells[3], whole(line.faults));
    setText(sentence, line.off ? orderSaid(line.off) : '');
    sentence.hidden = !line.off;
    setText(cells[4], untilSaid(line));
    orders.off.hidden = line.off != null || line.state === 'removed';
    orders.on.hidden = line.off == null;
    orders.try.hidden = !RESTS.includes(line.state);
    for (const [what, button] of Object.entries(orders)) {
      setText(button, t(`lines.${what}`));
      setAttribute(button, 'aria-label', t(`lines.${what}_one`, { line: name }));
    }
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}
