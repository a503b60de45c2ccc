/* The five figures on top. */

import { byId, setText } from './dom.js';
import { onLanguage, rate, share, t, whole } from './i18n.js';

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
    const { status } = this;
    if (!status) return;
    const answered = this.history.isLoaded ? this.history.answeredShare() : null;
    setText(byId('figure-calls'), whole(status.calls));
    setText(byId('beside-calls'), limitOf(status.max_calls, whole));
    setText(byId('figure-numbers'), whole(status.numbers));
    setText(byId('figure-cps'), rate(status.cps));
    setText(byId('beside-cps'), limitOf(status.max_cps, rate));
    setText(byId('figure-answered'), answered == null ? '–' : share(answered));
    setText(byId('figure-unwritten'), whole(status.unwritten));
    setText(byId('beside-unwritten'),
      t(status.unwritten ? 'figures.not_written' : 'figures.all_written'));
    byId('unwritten').classList.toggle('alarming', status.unwritten > 0);
  }
}

function limitOf(most, format) {
  return most ? t('figures.of', { most: format(most) }) : t('figures.no_limit');
}
