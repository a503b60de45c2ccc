/* How many tasks are in each state, as buttons that show only those. */

import { byId, el, setAttribute, setText } from './dom.js';
import { t, whole, word } from './i18n.js';
import { TASK_REASONS } from './reasons.js';

export class TaskStates {
  /** `changed` is called when the tasks of another state are wanted. */
  constructor(changed) {
    this.chosen = ''; // all states
    this.changed = changed;
    this.place = byId('tasks-states');
    this.chips = new Map();
  }

  /** Show how many tasks have each reason, in this order. */
  show(reasons) {
    const all = Object.values(reasons).reduce((sum, count) => sum + count, 0);
    // A state that was chosen stays, also when no task is in it any more.
    const shown = { '': all, ...reasons };
    if (!(this.chosen in shown)) shown[this.chosen] = 0;
    const chips = Object.entries(shown).map(([reason, count]) => this.#chip(reason, count));
    for (const [reason, chip] of this.chips) {
      if (!(reason in shown)) {
        chip.node.remove();
        this.chips.delete(reason);
      }
    }
    chips.forEach((chip, index) => {
      if (this.place.children[index] !== chip) this.place.insertBefore(chip, this.place.children[index] ?? null);
    });
  }

  #chip(reason, count) {
    let chip = this.chips.get(reason);
    if (!chip) {
      const [name, number] = [el('span'), el('span', { class: 'count' })];
      const node = el('button', { type: 'button', class: 'chip' }, name, number);
      node.addEventListener('click', () => this.#choose(reason));
      chip = { node, name, number };
      this.chips.set(reason, chip);
    }
    setText(chip.name, reason ? word('reason', reason) : t('tasks.all'));
    setText(chip.number, whole(count));
    setAttribute(chip.node, 'data-tone', reason ? TASK_REASONS[reason] ?? 'off' : null);
    setAttribute(chip.node, 'aria-pressed', String(reason === this.chosen));
    return chip.node;
  }

  #choose(reason) {
    this.chosen = reason === this.chosen ? '' : reason;
    for (const [name, { node }] of this.chips) {
      setAttribute(node, 'aria-pressed', String(name === this.chosen));
    }
    this.changed();
  }
}
