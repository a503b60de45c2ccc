/* One task in the table: its state in words, and the details that its name opens. */

import { abandonedLine, agentsLine, isOverCeiling } from './agents.js';
import { get } from './api.js';
import { el, setAttribute, setText } from './dom.js';
import { ForecastPanel } from './forecast.js';
import { exactly, explanation, rate, t, toneOf, when, whole, word } from './i18n.js';
import { NODE_REASONS } from './reasons.js';
import { label, row } from './rows.js';
import { TaskActivity } from './task_activity.js';
import { taskDetails } from './task_details.js';
import { TaskPlan } from './task_plan.js';
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
    this.queued = el('span');
    this.later = el('div', { class: 'later' });
    cells[4].append(this.queued, this.later);
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
    this.agents = el('span', { class: 'agents' });
    this.abandoned = el('span', { class: 'abandons' });
    this.warned = el('span', { class: 'warned' });
    const agents = el('div', { class: 'stack' }, this.agents, this.abandoned);
    const parts = [this.badge, this.sentence, agents, this.changes, this.warned];
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
    setText(this.agents, agentsLine(task.pacing));
    this.agents.hidden = !this.agents.textContent;
    setText(this.abandoned, abandonedLine(task.pacing));
    this.abandoned.hidden = !this.abandoned.textContent;
    this.abandoned.classList.toggle('over', isOverCeiling(task.pacing));
    showWarned(this.warned, task.warnings);
    setText(this.calls, `${whole(task.calls)} / ${whole(task.limit)}`);
    this.level.style.width = `${task.limit ? Math.min(100, (100 * task.calls) / task.limit) : 0}%`;
    setText(this.cells[3], task.cps == null ? '–' : rate(task.cps));
    setText(this.queued, task.queue_length == null ? '–' : whole(task.queue_length));
    this.#updateLater(task.later);
    const what = this.paused ? 'resume' : 'pause';
    setText(this.button, t(`tasks.${what}`));
    setAttribute(this.button, 'aria-label', t(`tasks.${what}_one`, { task: this.name }));
    if (this.details) this.#refresh();
  }

  /** Numbers that wait in Redis to be called later, by the reason. */
  #updateLater(later) {
    this.later.hidden = !later;
    if (!later) return;
    const reasons = ['retry', 'hours', 'cap'].filter((reason) => later[reason]);
    const said = reasons.map((reason) => t(`tasks.later_${reason}`, { count: whole(later[reason]) }));
    setText(this.later, said.join(' · '));
    if (later.next_due != null) {
      setAttribute(this.later, 'title', t('tasks.later_next', { when: exactly(later.next_due) }));
    }
  }

  #updateState(explained) {
    const { reason, changes_at: changesAt } = explained;
    setBadge(this.badge, toneOf(explained), word('reason', reason));
    // What keeps the whole node from dialing is said once, at the top of the page.
    this.sentence.hidden = NODE_REASONS.includes(reason);
    setText(this.sentence, explanation(explained));
    this.changes.hidden = changesAt == null || FLEETING.includes(reason);
    if (this.changes.hidden) return;
    setText(this.changes, t('tasks.changes', { when: when(changesAt) }));
    setAttribute(this.changes, 'datetime', new Date(changesAt * 1000).toISOString());
    setAttribute(this.changes, 'title', exactly(changesAt));
  }

  #open() {
    this.told = el('div');
    this.forecast = new ForecastPanel(this.name);
    this.forecast.onAnswer = () => this.forecast.refresh(this.task);
    this.plan = new TaskPlan(this.name, () => !this.task.explained.faults.length);
    this.activity = new TaskActivity(this.name);
    this.content = el('td', { role: 'cell', colspan: this.cells.length },
      this.told, this.activity.node, this.plan.node, this.forecast.node, this.activity.last);
    this.details = el('tr', { role: 'row', class: 'details', id: this.id }, this.content);
    this.body.append(this.details);
    setAttribute(this.opener, 'aria-expanded', 'true');
    this.#refresh();
    this.plan.open();
    this.activity.open();
  }

  #close() {
    if (!this.details) return;
    const inside = this.body.contains(document.activeElement);
    this.plan.close();
    this.activity.close();
    this.details.remove();
    this.details = null;
    setAttribute(this.opener, 'aria-expanded', 'false');
    if (inside) this.opener.focus({ preventScroll: true });
  }

  /** Show what the list knows at once; it may leave lines out, so the whole is asked for too. */
  #refresh() {
    this.forecast.refresh(this.task);
    this.plan.render();
    this.activity.render();
    const said = JSON.stringify([this.task, document.documentElement.lang]);
    if (said === this.said && this.told.firstChild) return;
    this.said = said;
    this.told.replaceChildren(taskDetails(this.task, this.task.explained));
    if (this.task.explained.lines_left_out) this.#askForAll(said);
  }

  async #askForAll(said) {
    try {
      const whole = await get(`api/tasks/${encodeURIComponent(this.name)}/explain`);
      if (said === this.said && this.details) {
        this.told.replaceChildren(taskDetails(this.task, whole));
      }
    } catch {
      // What the list knows stands there already, and says how many lines it leaves out.
    }
  }
}
