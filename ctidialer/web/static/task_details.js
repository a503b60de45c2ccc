/* Why a task is, or is not, dialing: everything that the daemon says of it. */

import { el, setAttribute } from './dom.js';
import { explanation, known, sentence, t, when, whole, word } from './i18n.js';
import { LINE_TONES } from './reasons.js';
import { badge, setBadge } from './tones.js';

/** The details of a task, from what `explain` says. */
export function taskDetails(task, explained) {
  const { reason, faults, lines, lines_left_out: leftOut } = explained;
  const { warnings } = task;
  return el('div', { class: 'explained' },
    el('p', {}, explanation(explained)),
    meaning(reason),
    task.queues.length ? el('p', { class: 'quiet' }, listLine(task.queues)) : null,
    faults.length ? faultList(faults) : null,
    warnings.length ? warningList(warnings) : null,
    lines.length ? lineTable(lines) : null,
    leftOut ? el('p', {}, t('tasks.lines_left_out', { count: whole(leftOut) })) : null);
}

/** The lists of a task; of several it says how many numbers each has. */
function listLine(queues) {
  const [{ queue: only }] = queues;
  if (queues.length === 1) return t('tasks.list', { queue: only });
  const each = queues.map(({ queue, length }) => (
    `${queue} (${length == null ? '–' : whole(length)})`));
  return t('tasks.lists', { queues: each.join(', ') });
}

function meaning(reason) {
  const advice = known('advice', reason);
  return el('div', { class: 'quiet' },
    el('p', {}, t('tasks.meaning', { meaning: word('meaning', reason) })),
    advice ? el('p', {}, t('tasks.advice', { advice })) : null);
}

function faultList(faults) {
  const items = faults.map(({ path, problem }) => (
    el('li', {}, el('code', {}, path), ` ${problem}`)));
  return el('div', {}, el('h3', {}, t('tasks.faults')), el('ul', { lang: 'en' }, ...items));
}

function warningList(warnings) {
  const items = warnings.map(({ key, name, path, problem }) => (
    el('li', {}, el('code', {}, `${key} ${name} ${path}`), ` ${problem}`)));
  return el('div', {}, el('h3', {}, t('tasks.warnings')), el('ul', { lang: 'en' }, ...items));
}

function lineTable(lines) {
  const heads = [t('lines.name'), t('lines.why'), t('lines.until')];
  return el('div', { class: 'scroll' }, el('h3', {}, t('tasks.lines')), el('table', {},
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...lines.map(lineRow))));
}

function lineRow(line) {
  const { name, group, why, until } = line;
  const state = badge();
  setBadge(state, LINE_TONES[why] ?? 'bad', word('line', why));
  setAttribute(state, 'title', sentence('line', why, line));
  const shown = name === group ? name : `${group} › ${name}`;
  return el('tr', {}, el('td', {}, shown), el('td', {}, state),
    el('td', {}, until == null ? '–' : when(until)));
}
