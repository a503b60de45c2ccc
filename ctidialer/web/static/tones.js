/* How serious each word of the daemon is.  A tone is a colour and a mark; the word always stands
   beside it. */

import { el, setAttribute, setText } from './dom.js';

/** The reasons that a task may have, in the order in which the daemon looks for them. */
export const REASONS = {
  invalid: 'bad',
  disabled: 'off',
  after_stop: 'off',
  before_start: 'wait',
  holiday: 'wait',
  not_a_working_day: 'wait',
  outside_hours: 'wait',
  paused: 'warn',
  limit_zero: 'off',
  no_daemon: 'bad',
  draining: 'warn',
  drained: 'warn',
  redis_away: 'bad',
  lease_lost: 'bad',
  freeswitch_away: 'bad',
  starting: 'wait',
  records_refused: 'bad',
  freeswitch_paused: 'warn',
  freeswitch_refusing: 'warn',
  limit_reached: 'good',
  queue_unusable: 'bad',
  node_limit: 'warn',
  no_free_line: 'warn',
  queue_empty: 'wait',
  paced: 'good',
  dialing: 'good',
  unknown_task: 'bad',
};

/** The states of a line. */
export const LINE_STATES = {
  free: 'good',
  full: 'wait',
  resting: 'wait',
  paced: 'good',
  out_of_use: 'bad',
  never_left: 'bad',
  trial_under_way: 'warn',
  removed: 'off',
};

/** The outcomes of a number. */
export const OUTCOMES = {
  answered: 'good',
  busy: 'warn',
  no_answer: 'wait',
  rejected: 'warn',
  unallocated: 'off',
  failed: 'bad',
  no_line: 'warn',
  expired: 'off',
  invalid: 'bad',
  canceled: 'off',
  unknown: 'warn',
};

/** A word with its tone. */
export function badge() {
  return el('span', { class: 'badge' });
}

/** Give a badge its word and its tone. */
export function setBadge(node, tone, text) {
  setAttribute(node, 'data-tone', tone ?? 'off');
  setText(node, text);
}

/** Fill a selection: everything, and then each word; what was chosen stays chosen. */
export function setOptions(select, all, words, name) {
  const chosen = select.value;
  const options = Object.keys(words).map((value) => el('option', { value }, name(value)));
  select.replaceChildren(el('option', { value: '' }, all), ...options);
  select.value = chosen;
}
