/* Says what an action has come to, and offers to undo it.  The container is aria-live: what is put
   into it is read aloud without moving the focus. */

import { byId, el } from './dom.js';
import { t } from './i18n.js';

const STAYS = 10000;
const MOST = 3;

/** Show a text for a while; `undo` is called by its button.  It stays while it is used, or until
 *  there is a newer one about the same thing: an older undo would undo the wrong order. */
export function toast(text, { about = '', undo = null, tone = 'good' } = {}) {
  const box = el('div', { class: 'toast', 'data-tone': tone }, el('span', {}, text));
  box.about = about;
  const close = () => box.remove();
  if (undo) {
    const button = el('button', { type: 'button' }, t('toast.undo'));
    button.addEventListener('click', () => {
      close();
      undo();
    });
    box.append(button);
  }
  const cross = el('button', { type: 'button', class: 'close', 'aria-label': t('toast.close') }, '×');
  cross.addEventListener('click', close);
  box.append(cross);
  box.addEventListener('keydown', (event) => event.key === 'Escape' && close());
  goesBy(box, close);
  const { children } = byId('toasts');
  for (const other of [...children]) if (other.about === about) other.remove();
  while (children.length >= MOST) children[0].remove();
  byId('toasts').append(box);
}

function goesBy(box, close) {
  let timer = setTimeout(close, STAYS);
  const stay = () => clearTimeout(timer);
  const go = () => {
    clearTimeout(timer);
    timer = setTimeout(close, STAYS);
  };
  box.addEventListener('pointerenter', stay);
  box.addEventListener('focusin', stay);
  box.addEventListener('pointerleave', go);
  box.addEventListener('focusout', go);
}
