/* Takes the node out of service, and puts it back: with a question before, and a reason. */

import { order, remove } from './api.js';
import { byId, setText } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { toast } from './toasts.js';
import { askWhy } from './why.js';

export class DrainButton {
  constructor() {
    this.isDrained = null;
    this.button = byId('drain');
    this.button.addEventListener('click', () => this.#ask());
    onLanguage(() => this.#render());
  }

  /** Show another status. */
  show(status) {
    this.isDrained = status.drain != null;
    this.#render();
  }

  #render() {
    this.button.hidden = this.isDrained == null;
    setText(this.button, t(this.isDrained ? 'drain.undo' : 'drain.do'));
  }

  async #ask() {
    const [what, send] = this.isDrained ? ['undrain', remove] : ['drain', order];
    const why = await askWhy(what);
    if (why == null) return;
    try {
      await send('api/drain', { why });
      toast(t(`drain.${what}ed`), { about: 'drain' });
    } catch (error) {
      const problem = error.status ? error.message : t('toast.away');
      toast(t('drain.failed', { problem }), { about: 'drain', tone: 'bad' });
    }
  }
}
