/* Below a task's details: the hours of today, its groups and lines in the order of their use, and its
   limit and rate, which can be changed here. */

import { get, order } from './api.js';
import { el, setAttribute, setText } from './dom.js';
import { t, whole, word } from './i18n.js';
import { LINE_STATES } from './reasons.js';
import { toast } from './toasts.js';
import { badge, setBadge } from './tones.js';

const PERIOD = 5000;
const MAX_SHOWN = 30;
let made = 0;

export class TaskPlan {
  /** `isReadable` says whether the task has a plan: one that is invalid has none. */
  constructor(task, isReadable) {
    this.path = `api/tasks/${encodeURIComponent(task)}`;
    this.task = task;
    this.isReadable = isReadable;
    this.timer = 0;
    this.found = null;
    this.filled = null;
    this.hours = el('div');
    this.groups = el('div');
    this.form = this.#form();
    this.node = el('div', { class: 'explained plan', hidden: '' }, this.hours, this.form, this.groups);
  }

  /** Ask now, and every few seconds until `close`. */
  async open() {
    if (this.isReadable()) await this.#ask();
    this.node.hidden = !this.found || !this.isReadable();
    if (!this.isClosed) this.timer = setTimeout(() => this.open(), PERIOD);
  }

  async #ask() {
    try {
      this.found = await get(this.path);
      this.#fill();
      this.render();
    } catch {
      // It was removed a moment ago, or the daemon is away, which is said in the header.
    }
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** Show what is known, in the language of now. */
  render() {
    const { found } = this;
    if (!found) return;
    this.hours.replaceChildren(...hoursOf(found));
    this.groups.replaceChildren(el('h3', {}, t('plan.lines')), ...found.groups.map(groupOf));
    setText(this.limitLabel, t('plan.limit'));
    setText(this.cpsLabel, t('plan.cps'));
    setText(this.button, t('plan.change'));
    setAttribute(this.cps, 'placeholder', t('plan.no_cps'));
  }

  #form() {
    const [limit, cps] = [`plan-limit-${++made}`, `plan-cps-${made}`];
    this.limit = el('input', { id: limit, type: 'number', min: 0, step: 1, required: '' });
    this.cps = el('input', { id: cps, type: 'number', min: 0, step: 'any' });
    this.limitLabel = el('label', { for: limit });
    this.cpsLabel = el('label', { for: cps });
    this.button = el('button', { type: 'submit' });
    const form = el('form', { class: 'stack rates' }, this.limitLabel, this.limit, this.cpsLabel,
      this.cps, this.button);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#change();
    });
    return form;
  }

  /** Show the rates as they stand; what somebody has begun to type stays. */
  #fill() {
    const standing = { limit: this.found.limit, cps: this.found.cps ?? 0 };
    for (const name of Object.keys(standing)) {
      const isTyped = this.filled && Number(this[name].value) !== this.filled[name];
      if (!isTyped) this[name].value = name === 'cps' ? standing.cps || '' : standing.limit;
    }
    this.filled = standing;
  }

  async #change() {
    const about = `rates of ${this.task}`;
    const wanted = { limit: Number(this.limit.value), cps: Number(this.cps.value) };
    // Only what was changed here: somebody else may have changed the other one meanwhile.
    const names = Object.keys(wanted).filter((name) => wanted[name] !== this.filled[name]);
    if (!names.length) return;
    const [body, before] = [wanted, this.filled].map((values) => (
      Object.fromEntries(names.map((name) => [name, values[name]]))));
    try {
      const done = await order(`${this.path}/rates`, body);
      this.filled = { ...this.filled, ...body };
      const undo = done.changes.length ? () => this.#undo(before) : null;
      toast(t('plan.changed', { task: this.task, changes: done.changes.join('; ') || '–' }),
        { about, undo });
    } catch (error) {
      const problem = error.status ? error.message : t('toast.away');
      toast(t('toast.failed', { task: this.task, problem }), { about, tone: 'bad' });
    }
  }

  #undo(before) {
    for (const [name, value] of Object.entries(before)) {
      this[name].value = name === 'cps' ? value || '' : value;
    }
    this.#change();
  }
}

/** What says the time of day in a zone: the hours of a task are those of its own zone. */
function clockIn(timeZone) {
  const format = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
  return (at) => format.format(at * 1000);
}

/** The day of the task as a bar, and in words. */
function hoursOf({ timezone, day: [begin, end], open }) {
  const share = (at) => `${((100 * (at - begin)) / (end - begin)).toFixed(2)}%`;
  const spans = open.map(([from, to]) => {
    const span = el('span', { class: 'span' });
    span.style.insetInlineStart = share(from);
    span.style.inlineSize = share(begin + to - from);
    return span;
  });
  const now = el('span', { class: 'now' });
  now.style.insetInlineStart = share(Math.min(end, Math.max(begin, Date.now() / 1000)));
  const clock = clockIn(timezone);
  const said = open.map(([from, to]) => `${clock(from)}–${to === end ? '24:00' : clock(to)}`);
  return [
    el('h3', {}, t('plan.hours')),
    el('div', { class: 'day', 'aria-hidden': 'true' }, ...spans, now),
    el('p', { class: 'quiet' }, t('plan.open', { spans: said.join(', ') || t('plan.never'), timezone })),
  ];
}

function groupOf(group) {
  const title = group.exists ? group.name : t('plan.fallback', { name: group.name });
  const parts = [el('strong', {}, title)];
  if (group.redials) parts.push(' · ', t('plan.redials', { count: whole(group.redials) }));
  if (!group.enabled) parts.push(' · ', t('plan.disabled'));
  const tiers = group.tiers.map((lines, index) => el('li', {},
    `${t('plan.tier', { number: whole(index + 1) })} `, ...lines.slice(0, MAX_SHOWN).map(lineOf),
    lines.length > MAX_SHOWN ? t('plan.more', { count: whole(lines.length - MAX_SHOWN) }) : null));
  return el('div', { class: 'group' }, el('p', {}, ...parts), el('ul', {}, ...tiers));
}

function lineOf({ name, state, calls, count }) {
  const node = badge();
  const most = count == null ? '∞' : whole(count);
  setBadge(node, LINE_STATES[state], `${name} ${whole(calls)}/${most}`);
  setAttribute(node, 'title', word('line', state));
  return node;
}
