/* Why a task is, or is not, dialing: everything that the daemon says of it. */

import { el } from './dom.js';
import { speaksEnglish, t, when, whole, word } from './i18n.js';
import { badge, LINE_STATES, setBadge } from './tones.js';

/** The details of a task, from what `explain` says. */
export function taskDetails(task, explained) {
  const { reason, text, faults, lines, lines_left_out: leftOut } = explained;
  return el('div', { class: 'explained' },
    // The daemon's sentence is English: screen readers shall read it as that.
    el('p', { lang: 'en' }, text),
    speaksEnglish() ? meaning(reason) : null,
    task.number_queue ? el('p', { class: 'quiet' },
      t('tasks.list', { queue: task.number_queue })) : null,
    faults.length ? faultList(faults) : null,
    lines.length ? lineTable(lines) : null,
    leftOut ? el('p', {}, t('tasks.lines_left_out', { count: whole(leftOut) })) : null);
}

function meaning(reason) {
  return el('p', { class: 'quiet' }, `${t('tasks.meaning')}: ${word('meaning', reason)}`);
}

function faultList(faults) {
  const items = faults.map(({ path, problem }) => (
    el('li', {}, el('code', {}, path), ` ${problem}`)));
  return el('div', {}, el('h3', {}, t('tasks.faults')), el('ul', { lang: 'en' }, ...items));
}

function lineTable(lines) {
  const heads = [t('lines.name'), t('lines.why'), t('lines.until')];
  return el('div', { class: 'scroll' }, el('h3', {}, t('tasks.lines')), el('table', {},
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...lines.map(lineRow))));
}

function lineRow({ name, group, why, until }) {
  const state = badge();
  setBadge(state, LINE_STATES[why] ?? 'bad', word('line', why));
  const shown = name === group ? name : `${group} › ${name}`;
  return el('tr', {}, el('td', {}, shown), el('td', {}, state),
    el('td', {}, until == null ? '–' : when(until)));
}
