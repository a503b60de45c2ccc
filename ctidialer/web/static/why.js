/* Asks before an order that stops everybody's work, and for the reason, which the log and all other
   pages show. */

import { byId, setText } from './dom.js';
import { t } from './i18n.js';

/** Ask whether it is meant; returns the reason (which may be empty), null = it is not.  `what` names
 *  the texts: why.<what>_title, _text and _order, which `values` are put into; `more` are nodes that
 *  ask for more. */
export function askWhy(what, values = {}, more = []) {
  const dialog = byId('why');
  setText(byId('why-title'), t(`why.${what}_title`, values));
  byId('why-more').replaceChildren(...more);
  setText(byId('why-text'), t(`why.${what}_text`));
  setText(byId('why-order'), t(`why.${what}_order`));
  byId('why-reason').value = '';
  dialog.returnValue = '';
  // It is no button of the form: Enter in the reason presses the first of these, and means yes.
  byId('why-cancel').onclick = () => dialog.close('');
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'order' ? byId('why-reason').value : null);
    }, { once: true });
  });
}
