/* What became of the numbers, today or this week: by task, and by hour or day. */

import { get } from './api.js';
import { byId, el, setAttribute, setText } from './dom.js';
import { exactly, lasting, onLanguage, rate, share, t, when, whole } from './i18n.js';
import { label, row, Rows, sayEmpty } from './rows.js';

const PERIOD = 60_000;
const PERIODS = { today: 'hour', week: 'day' };
const COLUMNS = [
  'name', 'taken', 'dialed', 'answered', 'answer_rate', 'attempts', 'ring', 'talk', 'abandoned',
];

export class Results {
  constructor() {
    this.found = null;
    this.turn = 0;
    this.timer = 0;
    this.rows = new Rows(byId('results'), resultRow);
    for (const choice of [byId('results-since'), byId('results-by')]) {
      choice.addEventListener('change', () => this.load());
    }
    byId('results-filters').addEventListener('submit', (event) => event.preventDefault());
    document.addEventListener('visibilitychange', () => document.hidden || this.load());
    onLanguage(() => (this.found ? this.#show(this.found)
      : sayEmpty(byId('results-none'), t('service.unknown'))));
  }

  /** Ask now, and every minute from now on: to sum up a day of records takes seconds. */
  async load() {
    clearTimeout(this.timer);
    const mine = ++this.turn;
    const since = byId('results-since').value;
    try {
      const query = { since, by: PERIODS[since] };
      const found = document.hidden ? null : await get('api/report', query);
      if (mine === this.turn && found) this.#show(found);
    } catch (error) {
      if (mine === this.turn && error.status) sayEmpty(byId('results-none'), error.message);
    }
    if (mine === this.turn) this.timer = setTimeout(() => this.load(), PERIOD);
  }

  #show(found) {
    this.found = found;
    const byTask = byId('results-by').value === 'task';
    const parts = (byTask ? found.tasks : found.periods) ?? [];
    const all = { ...found.total, isTotal: true };
    const shown = found.total.taken ? [all, ...parts] : [];
    this.rows.show(shown, keyOf);
    setText(byId('results-count'), t('results.read', { when: when(found.at) }));
    sayEmpty(byId('results-none'), shown.length ? '' : t('results.none'));
    sayEmpty(byId('results-note'), noteOf(found, byTask));
  }
}

const keyOf = (one) => JSON.stringify([one.isTotal ?? false, one.kind, one.task, one.begin]);

/** What has to be known of the figures: where they end, and what they leave out. */
function noteOf(found, byTask) {
  const notes = [];
  const { tries } = found.total;
  if (tries.length > 1) notes.push(t('results.tries', { tries: tries.map(tryOf).join(', ') }));
  if (found.trimmed) notes.push(t('results.trimmed', { when: when(found.first_at) }));
  if (byTask && found.tasks_left_out) {
    notes.push(t('results.left_out', { count: whole(found.tasks_left_out) }));
  }
  return notes.join(' ');
}

const tryOf = ({ number, called, reached }) => (
  `${number}: ${whole(reached)}/${whole(called)} (${share(reached / called)})`);

function resultRow(first) {
  const { tr, cells } = row(COLUMNS.length);
  cells[0].classList.add('name');
  for (const cell of cells.slice(1)) cell.classList.add('number');
  const update = (one) => {
    label(cells, COLUMNS.map((column) => t(`results.${column}`)));
    setText(cells[0], nameOf(one));
    setAttribute(cells[0], 'title', one.begin == null ? null : exactly(one.begin));
    const figures = [
      whole(one.taken), whole(one.dialed), whole(one.answered),
      one.answer_rate == null ? '–' : share(one.answer_rate),
      one.attempts_per_number == null ? '–' : rate(one.attempts_per_number),
      timesOf(one.ring), timesOf(one.talk), abandonedOf(one),
    ];
    figures.forEach((figure, index) => setText(cells[index + 1], figure));
  };
  const kind = first.isTotal ? 'entry total' : 'entry';
  return { body: el('tbody', { role: 'rowgroup', class: kind }, tr), update };
}

/** Calls for which no agent was there in time, and their share of those that an agent was to take. */
function abandonedOf({ abandoned, abandon_rate: part }) {
  return part == null ? '–' : `${whole(abandoned)} (${share(part)})`;
}

function nameOf(one) {
  if (one.isTotal) return t('results.all');
  if (one.period) return one.period;
  return one.kind === 'schedule' ? t('results.scheduled', { name: one.task }) : one.task || '–';
}

/** The mean, and below what nine in ten lie. */
function timesOf({ mean, p90 }) {
  return mean == null ? '–' : `${lasting(mean)} / ${lasting(p90)}`;
}
