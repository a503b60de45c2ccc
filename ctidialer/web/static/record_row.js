/* One record in the table. */

import { el, setAttribute, setText } from './dom.js';
import { exactly, lasting, t, when, whole, word } from './i18n.js';
import { label, row } from './rows.js';
import { badge, OUTCOMES, setBadge } from './tones.js';

const COLUMNS = [
  'ended', 'number', 'task', 'outcome', 'cause', 'line', 'took', 'ring', 'bill', 'talk',
];

/** A row; a record never changes, but the language of the page does. */
export function recordRow() {
  const { tr, cells } = row(COLUMNS.length);
  const [ended, number, task, outcome, cause, line, took, ring, bill, talk] = cells;
  const time = el('time');
  const state = badge();
  const note = el('span', { class: 'sentence' });
  ended.append(time);
  number.classList.add('name');
  outcome.classList.add('badges');
  cause.classList.add('cause');
  outcome.append(el('div', { class: 'stack' }, state, note));
  const talked = el('span');
  const agent = el('div', { class: 'sentence' });
  talk.append(talked, agent);
  for (const cell of [took, ring, bill, talk]) cell.classList.add('number');
  for (const cell of [took, ring, bill]) cell.classList.add('minor'); // a phone leaves them out
  const update = (record) => {
    label(cells, COLUMNS.map((column) => t(`records.${column}`)));
    setText(time, when(record.ended_at));
    setAttribute(time, 'title', exactly(record.ended_at));
    setText(number, numberOf(record));
    setText(task, record.task ?? record.config ?? '–');
    setBadge(state, OUTCOMES[record.outcome], word('outcome', record.outcome));
    setText(note, noteOf(record));
    note.hidden = !note.textContent;
    setText(cause, causeOf(record));
    setText(line, record.line ?? record.line_group ?? '–');
    setText(took, lasting(Math.max(0, record.ended_at - record.taken_at)));
    setText(ring, secondsOf(record.attempts.at(-1)?.ring_seconds));
    setText(bill, record.bill_seconds ? lasting(record.bill_seconds) : '–');
    setText(talked, secondsOf(record.talk_seconds));
    setText(agent, record.agent ?? '');
    agent.hidden = !record.agent;
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}

/** The number of a record; where none could be read, the entry as it was. */
export const numberOf = ({ number, entry }) => number ?? entry;

/** Seconds that a record of an earlier version, or of a call that did not come so far, has not. */
const secondsOf = (seconds) => (seconds == null ? '–' : lasting(seconds));

/** What is worth saying below the outcome: nobody was there, several tries, or why there was none. */
export function noteOf({ attempts, reason, abandoned }) {
  if (abandoned) return t('records.abandoned');
  if (attempts.length > 1) return t('records.attempts', { count: whole(attempts.length) });
  return attempts.length ? '' : reason;
}

export function causeOf({ hangup_cause: cause, sip_code: sip }) {
  return [cause, sip ? `SIP ${sip}` : null].filter(Boolean).join(' · ') || '–';
}
