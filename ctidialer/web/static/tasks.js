/* The table of tasks, those first that want a look.  Ten thousand of them are paged by the daemon;
   those on the page are kept up to date by the stream, which tells of the open ones only. */

import { get, order } from './api.js';
import { byId, setAttribute, setText } from './dom.js';
import { onLanguage, t, whole } from './i18n.js';
import { Pages } from './pages.js';
import { onFilter, poll } from './poll.js';
import { Rows, sayEmpty } from './rows.js';
import { rowsAPage } from './tabs.js';
import { TaskRow } from './task_row.js';
import { TaskStates } from './task_states.js';
import { toast } from './toasts.js';
import { askWhy } from './why.js';

/** As many as one answer may hold: what the daemon does not sort is sorted here. */
const MOST = 1000;

/** In which orders the daemon pages, by the column whose head chooses it. */
const ORDERS = { state: 'worst', name: 'name' };

const VALUES = {
  name: (task) => task.name,
  calls: (task) => task.calls,
  cps: (task) => task.cps ?? Infinity,
  queue_length: (task) => task.queue_length ?? -1,
};

export class Tasks {
  constructor() {
    this.found = null;
    this.sort = { key: 'state', down: false };
    this.states = new TaskStates(() => this.#anew());
    this.rows = new Rows(byId('tasks'), (task) => new TaskRow(task, (what) => this.#order(what)));
    this.load = poll(() => this.#ask(), (found) => this.#show(found), (error) => this.#failed(error));
    this.pages = new Pages(byId('tasks-pages'), () => this.load());
    onFilter(byId('tasks-filters'), () => this.#anew());
    for (const head of byId('tasks').querySelectorAll('[data-sort]')) {
      head.firstElementChild.addEventListener('click', () => this.#sortBy(head.dataset.sort));
    }
    onLanguage(() => this.found && this.#show(this.found));
  }

  /** Bring the tasks on this page up to date. */
  status(status) {
    if (!this.found) return;
    const told = new Map(status.tasks.map((task) => [task.name, task]));
    for (const task of this.found.tasks) {
      const { calls, limit, cps, explained, pacing, later } = told.get(task.name) ?? task;
      // The button must not say something else than the badge until the tasks are asked for again.
      const isPaused = explained.reason === 'paused';
      const paused = isPaused === (task.explained.reason === 'paused') ? task.paused : isPaused;
      Object.assign(task, { calls, limit, cps, explained, paused, pacing, later });
    }
    this.#render();
  }

  /** In these orders the daemon pages; otherwise all that one answer holds is sorted here. */
  get #pagedThere() {
    return this.sort.key in ORDERS && !this.sort.down;
  }

  #ask() {
    return get('api/tasks', {
      q: byId('tasks-search').value,
      reason: this.states.chosen,
      order: ORDERS[this.sort.key],
      offset: this.#pagedThere ? this.pages.offset : 0,
      limit: this.#pagedThere ? rowsAPage() : MOST,
    });
  }

  #show(found) {
    this.found = found;
    this.states.show(found.reasons);
    if (this.pages.show(found.total)) this.load();
    this.#render();
  }

  #failed(error) {
    // That the daemon does not answer at all is said in the header.
    if (error.status) sayEmpty(byId('tasks-none'), error.message);
  }

  #anew() {
    this.pages.reset();
    this.load();
  }

  #sortBy(key) {
    // The figures begin with the largest; the worst is never looked for at the other end.
    const isAgain = this.sort.key === key && key !== 'state';
    this.sort = { key, down: isAgain ? !this.sort.down : !(key in ORDERS) };
    this.#anew();
  }

  #render() {
    const { tasks, total } = this.found;
    this.rows.show(this.#page(tasks), (task) => task.name);
    const partly = !this.#pagedThere && total > MOST;
    const filtered = byId('tasks-search').value || this.states.chosen;
    const count = t(filtered ? 'tasks.matching' : 'tasks.total', { count: whole(total) });
    setText(byId('tasks-count'),
      partly ? `${count}. ${t('tasks.sorted_part', { count: whole(MOST) })}` : count);
    sayEmpty(byId('tasks-none'), total ? '' : t(filtered ? 'tasks.none' : 'tasks.no_tasks'));
    for (const head of byId('tasks').querySelectorAll('[data-sort]')) {
      const direction = this.sort.down ? 'descending' : 'ascending';
      setAttribute(head, 'aria-sort', head.dataset.sort === this.sort.key ? direction : null);
    }
  }

  #page(tasks) {
    if (this.#pagedThere) return tasks;
    const value = VALUES[this.sort.key];
    const sign = this.sort.down ? -1 : 1;
    const sorted = tasks.toSorted((a, b) => sign * compare(value(a), value(b)));
    return sorted.slice(this.pages.offset, this.pages.offset + rowsAPage());
  }

  /** Pause or resume a task: a pause asks for the reason, and all can be undone. */
  async #order({ name, paused }, isUndo = false) {
    const why = paused && !isUndo ? await askWhy('pause', { task: name }) : '';
    if (why == null) return;
    try {
      await order(`api/tasks/${encodeURIComponent(name)}/${paused ? 'pause' : 'resume'}`, { why });
    } catch (error) {
      const problem = error.status ? error.message : t('toast.away');
      toast(t('toast.failed', { task: name, problem }), { about: name, tone: 'bad' });
      return;
    }
    const undo = isUndo ? null : () => this.#order({ name, paused: !paused }, true);
    toast(t(paused ? 'toast.paused' : 'toast.resumed', { task: name }), { about: name, undo });
    this.load();
  }
}

function compare(a, b) {
  return typeof a === 'string' ? a.localeCompare(b) : a === b ? 0 : a < b ? -1 : 1;
}
