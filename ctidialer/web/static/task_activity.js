/* Below a task's details: what waits and until when, how its numbers ended today, and the last of
   them.  All of it is bounded: the newest records that are looked at, and the first that wait. */

import { get } from './api.js';
import { byId, el } from './dom.js';
import { exactly, lasting, share, t, when, whole, word } from './i18n.js';
import { causeOf, noteOf, numberOf } from './record_row.js';
import { recordsShown } from './tabs.js';
import { badge, OUTCOMES, setBadge } from './tones.js';

const PERIOD = 10_000;
const TODAY_PERIOD = 60_000;
const MOST_RECORDS = 20;
/** Records that are looked at for them: those of all tasks stand in one stream. */
const SCANNED = 3000;
/** Numbers that wait, those due first, among which the first of each reason is looked for. */
const MOST_WAITING = 200;
const REASONS = ['retry', 'hours', 'cap'];

export class TaskActivity {
  constructor(task) {
    this.task = task;
    this.parts = { waiting: waitingPart, today: todayPart, records: recordsPart };
    this.found = {};
    this.nextToday = 0;
    this.places = {};
    for (const name of Object.keys(this.parts)) this.places[name] = el('div');
    const { waiting, today, records } = this.places;
    this.node = el('div', { class: 'explained activity' }, waiting, today);
    this.last = el('div', { class: 'explained activity' }, records);
  }

  /** Ask now, and every few seconds until `close`. */
  async open() {
    if (!document.hidden) await Promise.all([this.#waiting(), this.#today(), this.#records()]);
    if (!this.isClosed) this.timer = setTimeout(() => this.open(), PERIOD);
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** Show what is known, in the language of now. */
  render() {
    for (const name of Object.keys(this.parts)) this.#show(name);
  }

  #waiting() {
    const path = `api/tasks/${encodeURIComponent(this.task)}/waiting`;
    return this.#ask('waiting', () => get(path, { limit: MOST_WAITING }));
  }

  /** Once a minute, as the table of results asks the same: the answer is kept for both. */
  #today() {
    if (Date.now() < this.nextToday) return null;
    this.nextToday = Date.now() + TODAY_PERIOD;
    return this.#ask('today', async () => {
      const all = await get('api/report', { since: 'today', by: 'hour' });
      const isIt = ({ kind, task }) => kind === 'queue' && task === this.task;
      const found = (all.tasks ?? []).find(isIt);
      if (found || !(all.tasks_left_out || all.tasks == null)) return { ...all, row: found ?? null };
      const one = await get('api/report', { since: 'today', by: 'hour', task: this.task });
      return { ...one, row: (one.tasks ?? []).find(isIt) ?? null };
    });
  }

  #records() {
    return this.#ask('records', () => (
      get('api/records', {
        task: this.task, limit: Math.min(MOST_RECORDS, recordsShown()), scan: SCANNED })));
  }

  async #ask(name, question) {
    try {
      this.found[name] = await question();
    } catch (error) {
      // What was seen last stays; that the daemon does not answer at all is said in the header.
      if (!error.status) return;
      this.found[name] = { problem: error.message };
    }
    if (!this.isClosed) this.#show(name);
  }

  #show(name) {
    const found = this.found[name];
    const said = JSON.stringify([found ?? null, document.documentElement.lang]);
    const place = this.places[name];
    if (place.said === said) return;
    place.said = said;
    place.replaceChildren(el('h3', {}, t(`activity.${name}`)), ...this.#shown(name));
  }

  #shown(name) {
    const found = this.found[name];
    if (!found) return [el('p', { class: 'quiet' }, t('service.unknown'))];
    if (found.problem) return [el('p', { lang: 'en' }, found.problem)];
    return this.parts[name](found, this.task);
  }
}

function waitingPart({ waiting, reasons, next_due: nextDue, numbers }) {
  if (!waiting) return [el('p', { class: 'quiet' }, t('activity.none_wait'))];
  const items = REASONS.filter((reason) => reasons[reason]).map((reason) => {
    const first = numbers.find((one) => one.reason === reason);
    const said = t(`activity.wait_${reason}`, { count: whole(reasons[reason]) });
    return el('li', {}, first ? `${said}${t('activity.first_due', { when: when(first.due) })}` : said);
  });
  const total = { count: whole(waiting), when: nextDue == null ? '–' : when(nextDue) };
  return [el('p', {}, t('activity.wait', total)), el('ul', {}, ...items)];
}

function todayPart({ row, at, trimmed, first_at: firstAt }) {
  if (!row) return [el('p', { class: 'quiet' }, t('activity.none_today'))];
  const counts = Object.entries(row.outcomes).toSorted(([, one], [, other]) => other - one);
  const badges = counts.map(([outcome, count]) => {
    const node = badge();
    setBadge(node, OUTCOMES[outcome], `${word('outcome', outcome)} ${whole(count)}`);
    return node;
  });
  const parts = [t('activity.taken', {
    calls: whole(row.attempts), taken: whole(row.taken), dialed: whole(row.dialed) })];
  if (row.answer_rate != null) parts.push(t('activity.rate', { rate: share(row.answer_rate) }));
  if (row.abandoned) {
    parts.push(t('activity.abandoned', {
      count: whole(row.abandoned), share: share(row.abandon_rate ?? 0) }));
  }
  parts.push(t('results.read', { when: when(at) }));
  return [
    el('p', {}, parts.join(' · ')),
    el('div', { class: 'stack counts' }, ...badges),
    trimmed ? el('p', { class: 'quiet' }, t('results.trimmed', { when: when(firstAt) })) : null,
  ].filter(Boolean);
}

const HEADS = ['ended', 'number', 'outcome', 'cause', 'line', 'agent', 'talk'];

function recordsPart({ records, next }, task) {
  const all = el('button', { type: 'button' }, t('activity.all_records'));
  all.addEventListener('click', () => showRecords(task));
  if (!records.length) {
    const why = next ? t('activity.no_records_near', { count: whole(SCANNED) }) : t('activity.no_records');
    return [el('p', { class: 'quiet' }, why), next ? all : null].filter(Boolean);
  }
  const head = el('tr', {}, ...HEADS.map((name) => el('th', { scope: 'col' }, t(`records.${name}`))));
  const table = el('table', { class: 'last' },
    el('thead', {}, head), el('tbody', {}, ...records.map(recordLine)));
  return [el('div', { class: 'scroll' }, table), all];
}

function recordLine(record) {
  const state = badge();
  setBadge(state, OUTCOMES[record.outcome], word('outcome', record.outcome));
  const again = record.next_at == null ? '' : t('activity.again', { when: when(record.next_at) });
  const note = [noteOf(record), again].filter(Boolean).join(' · ');
  const time = el('time', { title: exactly(record.ended_at) }, when(record.ended_at));
  const talk = record.talk_seconds == null ? '–' : lasting(record.talk_seconds);
  const cells = [time, numberOf(record), state, causeOf(record), record.line ?? record.line_group ?? '–',
    record.agent ?? '–', talk];
  const row = el('tr', {}, ...cells.map((cell) => el('td', {}, cell)));
  if (note) row.children[2].append(' ', el('span', { class: 'sentence' }, note));
  return row;
}

/** Show all records of the task in the table of records, on a phone in its tab. */
function showRecords(task) {
  byId('records-number').value = '';
  byId('records-outcome').value = '';
  byId('records-task').value = task;
  byId('records-filters').dispatchEvent(new Event('input'));
  byId('tabs').querySelector('[data-value="records"]').click();
  byId('records-title').scrollIntoView({ block: 'start' });
  byId('records-task').focus({ preventScroll: true });
}
