/* Keeps the rows of a table in step with what is to be shown.  Rows are kept and changed in place:
   a row that were made anew every second would lose the focus and the selection of who uses it. */

import { el, setAttribute, setText } from './dom.js';

export class Rows {
  /** `make(item)` returns {body, update(item)}: a <tbody>, and what brings it up to date. */
  constructor(table, make) {
    this.table = table;
    this.make = make;
    this.entries = new Map();
  }

  /** Show exactly these items, in this order; `keyOf` tells them apart. */
  show(items, keyOf) {
    const focused = document.activeElement;
    const keys = new Set(items.map(keyOf));
    this.#removeOthers(keys);
    let before = this.table.tHead;
    for (const item of items) {
      const { body, update } = this.#entry(item, keyOf(item));
      update(item);
      if (before.nextElementSibling !== body) before.after(body);
      before = body;
    }
    // An element that is moved loses the focus.
    if (focused !== document.activeElement && focused?.isConnected) {
      focused.focus({ preventScroll: true });
    }
  }

  #entry(item, key) {
    let entry = this.entries.get(key);
    if (!entry) {
      entry = this.make(item);
      this.entries.set(key, entry);
    }
    return entry;
  }

  #removeOthers(keys) {
    for (const [key, { body }] of this.entries) {
      if (keys.has(key)) continue;
      // Who had the focus in a row that is gone would have to begin at the top of the page.
      if (body.contains(document.activeElement)) this.#focusBeside(body);
      body.remove();
      this.entries.delete(key);
    }
  }

  #focusBeside(body) {
    const beside = body.nextElementSibling ?? body.previousElementSibling;
    beside?.querySelector('button')?.focus({ preventScroll: true });
  }
}

/** A row with so many cells; the roles stay when a phone shows the row as a card. */
export function row(count) {
  const cells = Array.from({ length: count }, () => el('td', { role: 'cell' }));
  return { tr: el('tr', { role: 'row' }, ...cells), cells };
}

/** Name the cells: cards have no head of a column above them. */
export function label(cells, names) {
  cells.forEach((cell, index) => setAttribute(cell, 'data-label', names[index] ?? null));
}

/** Say below a table why it is empty; an empty text says nothing. */
export function sayEmpty(paragraph, text) {
  setText(paragraph, text);
  paragraph.hidden = !text;
}
