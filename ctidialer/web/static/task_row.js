/* One task in the table: its state in words, and the details that its name opens. */

import { get } from './api.js';
import { el, setAttribute, setText } from './dom.js';
import { exactly, explanation, rate, t, toneOf, when, whole, word } from './i18n.js';
import { label, row } from './rows.js';
import { taskDetails } from './task_details.js';
import { badge, setBadge, showWarned } from './tones.js';

const COLUMNS = ['name', 'state', 'calls', 'cps', 'queue'];
/** Reasons that change with every call: a time that flickers tells nobody anything. */
const FLEETING = ['paced', 'node_limit'];
let made = 0;

export class TaskRow {
  /** `order` is called with {name, paused} when the task shall be paused or go on. */
  constructor(task, order) {
    this.name = task.name;
    this.id = `task-details-${++made}`;
    const { tr, cells } = row(COLUMNS.length + 1);
    this.cells = cells;
    this.body = el('tbody', { role: 'rowgroup', class: 'entry' }, tr);
    this.#buildName(cells[0]);
    this.#buildState(cells[1]);
    this.#buildCalls(cells[2]);
    for (const cell of cells.slice(2, 5)) cell.classList.add('number');
    cells[5].classList.add('action');
    this.button = el('button', { type: 'button' });
    this.button.addEventListener('click', () => order({ name: this.name, paused: !this.paused }));
    cells[5].append(this.button);
    this.body.addEventListener('keydown', (event) => event.key === 'Escape' && this.#close());
    this.update = (changed) => this.#update(changed);
  }

  #buildName(cell) {
    cell.classList.add('name');
    this.opener = el('button', {
      type: 'button', class: 'opener', 'aria-expanded': 'false', 'aria-controls': this.id });
    this.opener.addEventListener('click', () => (this.details ? this.#close() : this.#open()));
    setText(this.opener, this.name);
    cell.append(this.opener);
  }

  #buildState(cell) {
    cell.classList.add('badges');
    this.badge = badge();
    this.sentence = el('span', { class: 'sentence' });
    this.changes = el('time', { class: 'changes' });
    this.warned = el('span', { class: 'warned' });
    const parts = [this.badge, this.sentence, this.changes, this.warned];
    cell.append(el('div', { class: 'stack' }, ...parts));
  }

  #buildCalls(cell) {
    this.calls = el('span');
    this.level = el('span', { class: 'level' });
    cell.append(this.calls, el('span', { class: 'bar', 'aria-hidden': 'true' }, this.level));
  }

  #update(task) {
    this.task = task;
    this.paused = task.paused;
    label(this.cells, COLUMNS.map((column) => t(`tasks.${column}`)));
    this.#updateState(task.explained);
    showWarned(this.warned, task.warnings);
    setText(this.calls, `${whole(task.calls)} / ${whole(task.limit)}`);
    this.level.style.width = `${task.limit ? Math.min(100, (100 * task.calls) / task.limit) : 0}%`;
    setText(this.cells[3], task.cps == null ? '–' : rate(task.cps));
    setText(this.cells[4], task.queue_length == null ? '–' : whole(task.queue_length));
    const what = this.paused ? 'resume' : 'pause';
    setText(this.button, t(`tasks.${what}`));
    setAttribute(this.button, 'aria-label', t(`tasks.${what}_one`, { task: this.name }));
    if (this.details) this.#refresh();
  }

  #updateState(explained) {
    const { reason, changes_at: changesAt } = explained;
    setBadge(this.badge, toneOf(explained), word('reason', reason));
    setText(this.sentence, explanation(explained));
    this.changes.hidden = changesAt == null || FLEETING.includes(reason);
    if (this.changes.hidden) return;
    setText(this.changes, t('tasks.changes', { when: when(changesAt) }));
    setAttribute(this.changes, 'datetime', new Date(changesAt * 1000).toISOString());
    setAttribute(this.changes, 'title', exactly(changesAt));
  }

  #open() {
    this.content = el('td', { role: 'cell', colspan: this.cells.length });
    this.details = el('tr', { role: 'row', class: 'details', id: this.id }, this.content);
    this.body.append(this.details);
    setAttribute(this.opener, 'aria-expanded', 'true');
    this.#refresh();
  }

  #close() {
    if (!this.details) return;
    const inside = this.body.contains(document.activeElement);
    this.details.remove();
    this.details = null;
    setAttribute(this.opener, 'aria-expanded', 'false');
    if (inside) this.opener.focus({ preventScroll: true });
  }

  /** Show what the list knows at once; it may leave lines out, so the whole is asked for too. */
  #refresh() {
    const said = JSON.stringify([this.task, document.documentElement.lang]);
    if (said === this.said && this.content.firstChild) return;
    this.said = said;
    this.content.replaceChildren(taskDetails(this.task, this.task.explained));
    if (this.task.explained.lines_left_out) this.#askForAll(said);
  }

  async #askForAll(said) {
    try {
      const whole = await get(`api/tasks/${encodeURIComponent(this.name)}/explain`);
      if (said === this.said && this.details) {
        this.content.replaceChildren(taskDetails(this.task, whole));
      }
    } catch {
      // What the list knows stands there already, and says how many lines it leaves out.
    }
  }
}
