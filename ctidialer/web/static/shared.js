/* What is counted over hosts: how full it is, and whose calls it has; not there where nothing is. */

import { byId, el, setText } from './dom.js';
import { onLanguage, rate, t, when, whole } from './i18n.js';
import { label, row, Rows } from './rows.js';

const COLUMNS = ['name', 'what', 'calls', 'cps', 'whose'];

export class Shared {
  constructor() {
    this.found = null;
    this.rows = new Rows(byId('shared'), sharedRow);
    onLanguage(() => this.found && this.status(this.found));
  }

  status(status) {
    this.found = status;
    byId('shared-section').hidden = !status.shared.length;
    const left = status.shared_left_out;
    setText(byId('shared-count'), left ? t('shared.left_out', { count: whole(left) }) : '');
    this.rows.show(status.shared, ({ what, name }) => JSON.stringify([what, name]));
  }
}

function sharedRow({ name }) {
  const { tr, cells } = row(COLUMNS.length);
  cells[0].classList.add('name');
  for (const cell of cells.slice(2, 4)) cell.classList.add('number');
  setText(cells[0], name);
  const update = (one) => {
    label(cells, COLUMNS.map((column) => t(`shared.${column}`)));
    setText(cells[1], t(`shared.${one.what}`));
    const used = one.used == null ? '?' : whole(one.used);
    setText(cells[2], one.count == null ? '–' : `${used} / ${whole(one.count)}`);
    setText(cells[3], one.cps == null ? '–' : rate(one.cps));
    setText(cells[4], one.holders.map(held).join('; ') || '–');
    tr.classList.toggle('bad', one.holders.some((holder) => holder.gone_since != null));
  };
  return { body: el('tbody', { role: 'rowgroup', class: 'entry' }, tr), update };
}

/** A host without a daemon keeps its calls until it is adopted. */
function held({ host, calls, gone_since: since }) {
  const values = { host, calls: whole(calls) };
  return since == null ? t('shared.held', values) : t('shared.gone', { ...values, since: when(since) });
}
