/* How serious each word is.  A tone is a colour and a mark; the word always stands beside it. The
   tones of reasons and lines come from the daemon: reasons.js. */

import { el, setAttribute, setText } from './dom.js';
import { t, whole } from './i18n.js';

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
  dnc: 'off',
  capped: 'off',
  closed: 'off',
  machine: 'off',
  unknown: 'bad',
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

/** How many warnings there are, and the first of them; the daemon says them in English. */
export function showWarned(node, warnings) {
  node.hidden = !warnings.length;
  if (node.hidden) return;
  const count = whole(warnings.length);
  const { name, path, problem } = warnings[0];
  if (!node.firstChild) node.append(el('span'), ' ', el('span', { lang: 'en' }));
  setText(node.firstChild, t('tasks.warned', { count }));
  setText(node.lastChild, `${name} ${path} ${problem}`);
}

/** Fill a selection: everything, and then each word; what was chosen stays chosen. */
export function setOptions(select, all, words, name) {
  const chosen = select.value;
  const options = Object.keys(words).map((value) => el('option', { value }, name(value)));
  select.replaceChildren(el('option', { value: '' }, all), ...options);
  select.value = chosen;
}
