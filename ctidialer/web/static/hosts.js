/* All hosts on this Redis, each with the way to its own dashboard; not there where one works alone. */

import { get } from './api.js';
import { byId, el, setAttribute, setText } from './dom.js';
import { onLanguage, rate, t, when, whole } from './i18n.js';
import { label, row, Rows } from './rows.js';
import { badge, setBadge } from './tones.js';

const PERIOD = 15_000;
const COLUMNS = ['name', 'state', 'calls', 'cps', 'in_flight', 'tasks'];

export class Hosts {
  constructor() {
    this.found = null;
    this.turn = 0;
    this.timer = 0;
    this.rows = new Rows(byId('hosts'), hostRow);
    document.addEventListener('visibilitychange', () => document.hidden || this.load());
    onLanguage(() => this.found && this.#show(this.found));
  }

  /** Ask now, and every fifteen seconds from now on: all hosts are looked at in a process apart. */
  async load() {
    clearTimeout(this.timer);
    const mine = ++this.turn;
    try {
      const found = document.hidden ? null : await get('api/hosts');
      if (mine === this.turn && found) this.#show(found);
    } catch {
      // What was seen last stays; that nothing is heard is said in the header.
    }
    if (mine === this.turn) this.timer = setTimeout(() => this.load(), PERIOD);
  }

  #show(found) {
    this.found = found;
    byId('hosts-section').hidden = found.hosts.length < 2;
    setText(byId('hosts-count'), t('hosts.read', {
      count: whole(found.hosts.length), calls: whole(found.total.calls), when: when(found.at) }));
    this.rows.show(found.hosts, ({ host, dashboard }) => JSON.stringify([host, dashboard]));
  }
}

function hostRow({ host, dashboard }) {
  const { tr, cells } = row(COLUMNS.length);
  const state = badge();
  const why = el('span', { class: 'sentence', lang: 'en' });
  const advice = el('span', { class: 'sentence' });
  cells[0].classList.add('name');
  cells[0].append(dashboard ? el('a', { href: dashboard, rel: 'noreferrer' }, host) : host);
  cells[1].classList.add('badges');
  cells[1].append(el('div', { class: 'stack' }, state, why, advice));
  for (const cell of cells.slice(2)) cell.classList.add('number');
  const update = (one) => {
    label(cells, COLUMNS.map((column) => t(`hosts.${column}`)));
    const [tone, word] = stateOf(one);
    setBadge(state, tone, t(`hosts.${word}`));
    setText(why, one.problems[0]?.problem ?? '');
    setText(advice, word === 'left_over' ? t('hosts.adopt', { host }) : '');
    advice.hidden = !advice.textContent;
    why.hidden = !why.textContent;
    setAttribute(state, 'title', one.daemon);
    const figures = [whole(one.calls), rate(one.cps), whole(one.in_flight), whole(one.tasks)];
    figures.forEach((figure, index) => setText(cells[index + 2], figure));
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}

/** A host without a daemon whose numbers are in flight wants somebody: they wait for it. */
function stateOf({ ready, daemon, in_flight: inFlight }) {
  if (ready) return ['good', 'ready'];
  if (daemon) return ['warn', 'not_ready'];
  return inFlight ? ['bad', 'left_over'] : ['off', 'no_daemon'];
}
