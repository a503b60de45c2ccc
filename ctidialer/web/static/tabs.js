/* On a phone one part of the page is shown at a time, so that nobody scrolls past all the others;
   on a wide screen all are, and the tabs are not there. */

import { byId, choice, remember, remembered } from './dom.js';

const NARROW = matchMedia('(max-width: 720px)');

/** How many rows a page of a table has, and how many records are shown at once. */
export const rowsAPage = () => (NARROW.matches ? 6 : 50);
export const recordsShown = () => (NARROW.matches ? 8 : 100);

/** Show the part that was looked at last; `changed` is called when the room for rows has changed. */
export function startTabs(changed) {
  const show = (tab) => {
    byId('main').dataset.tab = tab;
    remember('tab', tab);
    mark(tab);
  };
  const mark = choice(byId('tabs'), (tab) => {
    show(tab);
    scrollTo(0, 0);
  });
  const known = [...byId('tabs').children].map((button) => button.dataset.value);
  const last = remembered('tab');
  show(known.includes(last) ? last : 'now');
  NARROW.addEventListener('change', changed);
}
