/* The table of tasks.  Ten thousand of them are paged by the daemon; those on the page are kept up
   to date by the stream, which tells of the open ones only. */

import { get, order } from './api.js';
import { byId, setAttribute, setText } from './dom.js';
import { onLanguage, t, whole, word } from './i18n.js';
import { PAGE, Pages } from './pages.js';
import { onFilter, poll } from './poll.js';
import { Rows, sayEmpty } from './rows.js';
import { TASK_REASONS } from './reasons.js';
import { TaskRow } from './task_row.js';
import { toast } from './toasts.js';
import { setOptions } from './tones.js';

/** As many as one answer may hold: what is sorted by anything but the name is sorted here. */
const MOST = 1000;

const VALUES = {
  name: (task) => task.name,
  state: (task) => word('reason', task.explained.reason),
  calls: (task) => task.calls,
  cps: (task) => task.cps ?? Infinity,
  queue_length: (task) => task.queue_length ?? -1,
};

export class Tasks {
  constructor() {
    this.found = null;
    this.sort = { key: 'name', down: false };
    this.rows = new Rows(byId('tasks'), (task) => new TaskRow(task, (what) => this.#order(what)));
    this.load = poll(() => this.#ask(), (found) => this.#show(found), (error) => this.#failed(error));
    this.pages = new Pages(byId('tasks-pages'), () => this.load());
    onFilter(byId('tasks-filters'), () => this.#anew());
    for (const head of byId('tasks').querySelectorAll('[data-sort]')) {
      head.firstElementChild.addEventListener('click', () => this.#sortBy(head.dataset.sort));
    }
    onLanguage(() => this.#relabel());
  }

  /** Bring the tasks on this page up to date. */
  status(status) {
    if (!this.found) return;
    const told = new Map(status.tasks.map((task) => [task.name, task]));
    for (const task of this.found.tasks) {
      const { calls, limit, cps, explained } = told.get(task.name) ?? task;
      // The button must not say something else than the badge until the tasks are asked for again.
      const isPaused = explained.reason === 'paused';
      const paused = isPaused === (task.explained.reason === 'paused') ? task.paused : isPaused;
      Object.assign(task, { calls, limit, cps, explained, paused });
    }
    this.#render();
  }

  /** By name, the daemon pages; otherwise all that one answer holds is sorted and paged here. */
  get #pagedThere() {
    return this.sort.key === 'name' && !this.sort.down;
  }

  #ask() {
    return get('api/tasks', {
      q: byId('tasks-search').value,
      reason: byId('tasks-reason').value,
      offset: this.#pagedThere ? this.pages.offset : 0,
      limit: this.#pagedThere ? PAGE : MOST,
    });
  }

  #show(found) {
    this.found = found;
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
    this.sort = { key, down: this.sort.key === key ? !this.sort.down : key !== 'name' && key !== 'state' };
    this.#anew();
  }

  #relabel() {
    setOptions(byId('tasks-reason'), t('tasks.all'), TASK_REASONS, (value) => word('reason', value));
    if (this.found) this.#show(this.found);
  }

  #render() {
    const { tasks, total } = this.found;
    this.rows.show(this.#page(tasks), (task) => task.name);
    const partly = !this.#pagedThere && total > MOST;
    const filtered = byId('tasks-search').value || byId('tasks-reason').value;
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
    return sorted.slice(this.pages.offset, this.pages.offset + PAGE);
  }

  /** Pause or resume a task: nothing is asked before, all can be undone after. */
  async #order({ name, paused }, isUndo = false) {
    try {
      await order(`api/tasks/${encodeURIComponent(name)}/${paused ? 'pause' : 'resume'}`);
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
