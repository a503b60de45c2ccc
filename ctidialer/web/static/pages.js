/* The buttons below a table that turn its pages. */

import { el, setText } from './dom.js';
import { t, whole } from './i18n.js';
import { rowsAPage } from './tabs.js';

export class Pages {
  /** `turned` is called when another page is wanted; `offset` says where it begins. */
  constructor(place, turned) {
    this.offset = 0;
    this.text = el('span', { class: 'count' });
    this.before = el('button', { type: 'button', 'data-t': 'pages.before' });
    this.next = el('button', { type: 'button', 'data-t': 'pages.next' });
    this.before.addEventListener('click', () => this.#turn(-rowsAPage(), turned));
    this.next.addEventListener('click', () => this.#turn(rowsAPage(), turned));
    place.append(this.before, this.text, this.next);
    this.place = place;
  }

  /** Begin at the first page again: something else is looked for. */
  reset() {
    this.offset = 0;
  }

  /** Show where we are among `total`; returns whether this page lies beyond the end. */
  show(total) {
    const rows = rowsAPage();
    const beyond = this.offset > 0 && this.offset >= total;
    if (beyond) this.offset = Math.max(0, (Math.ceil(total / rows) - 1) * rows);
    this.place.hidden = total <= rows;
    this.before.disabled = this.offset === 0;
    this.next.disabled = this.offset + rows >= total;
    const last = Math.min(total, this.offset + rows);
    setText(this.text, t('pages.shown',
      { first: whole(this.offset + 1), last: whole(last), total: whole(total) }));
    return beyond;
  }

  #turn(by, turned) {
    this.offset = Math.max(0, this.offset + by);
    turned();
  }
}
