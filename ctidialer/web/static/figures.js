/* The figures on top, as a wall shows them. */

import { byId, setText } from './dom.js';
import { lasting, onLanguage, rate, share, t, when, whole } from './i18n.js';

export class Figures {
  constructor(history) {
    this.history = history;
    this.status = null;
    onLanguage(() => this.render());
  }

  /** Show another status. */
  show(status) {
    this.status = status;
    this.render();
  }

  render() {
    const { status, history } = this;
    if (!status) return;
    const past = t(`past.${history.span}`);
    say('calls', whole(status.calls), limitOf(status.max_calls, whole));
    level('calls', status.calls, status.max_calls);
    say('cps', rate(status.cps), limitOf(status.max_cps, rate));
    level('cps', status.cps, status.max_cps);
    say('queued', status.queued == null ? '–' : whole(status.queued), t('figures.queued_beside'));
    this.#later();
    this.#agents();
    const answered = history.isLoaded ? history.answeredShare() : null;
    say('answered', answered == null ? '–' : share(answered), t('figures.answered_beside', { past }));
    this.#talk(past);
    const unknown = history.isLoaded ? history.outcomes().unknown : null;
    say('unknown', unknown == null ? '–' : whole(unknown), t('figures.unknown_beside', { past }));
    byId('unknown').classList.toggle('alarming', unknown > 0);
  }

  /** Numbers that wait in Redis for a later call, of tasks and of schedule configurations. */
  #later() {
    const { tasks, schedules } = this.status;
    const found = [...tasks, ...schedules].map((one) => one.later).filter(Boolean);
    const count = found.reduce((sum, one) => sum + one.retry + one.hours + one.cap, 0);
    const next = Math.min(...found.map((one) => one.next_due ?? Infinity));
    const beside = next < Infinity ? t('tasks.later_next', { when: when(next) })
      : t('figures.none_later');
    say('later', whole(count), beside);
  }

  /** Agents are counted once, however many tasks call for them; where none are counted at all, the
   *  numbers in hand stand in their place. */
  #agents() {
    const groups = new Map();
    for (const { pacing } of this.status.tasks) {
      if (pacing && (pacing.queue || pacing.group)) {
        groups.set(JSON.stringify([pacing.queue, pacing.group]), pacing);
      }
    }
    const sum = (name) => [...groups.values()].reduce((total, one) => total + one[name], 0);
    const [free, talking, ringing] = ['free', 'talking', 'agents_ringing'].map(sum);
    const all = free + talking + ringing + sum('wrap_up') + sum('stale');
    byId('agents').hidden = !groups.size;
    byId('numbers').hidden = groups.size > 0;
    say('agents', `${whole(talking)} / ${whole(all)}`, t('figures.agents_beside',
      { free: whole(free), wrap_up: whole(sum('wrap_up')) }));
    say('numbers', whole(this.status.numbers), t('figures.numbers_beside'));
  }

  #talk(past) {
    const talk = this.history.isLoaded ? this.history.talk() : null;
    say('talk', talk ? lasting(talk.mean) : '–',
      t('figures.talk_beside', { count: whole(talk?.count ?? 0), past }));
  }
}

function say(name, figure, beside) {
  setText(byId(`figure-${name}`), figure);
  setText(byId(`beside-${name}`), beside);
}

/** Fill the bar below a figure that has a limit. */
function level(name, value, most) {
  const bar = byId(`level-${name}`);
  bar.parentElement.hidden = !most;
  if (most) bar.style.width = `${Math.min(100, (100 * value) / most)}%`;
}

function limitOf(most, format) {
  return most ? t('figures.of', { most: format(most) }) : t('figures.no_limit');
}
