/* The header: what state the node is in, and, when it dials nothing, why. */

import { byId, el, setAttribute, setText } from './dom.js';
import { exactly, lasting, onLanguage, sentence, t, when, whole } from './i18n.js';

/** Say what keeps the whole node from dialing, in the language of the page. */
function problem({ condition, problem: text, form, values }) {
  return sentence('reason', condition, { text, form, values });
}

export class Header {
  constructor() {
    this.status = null;
    this.connection = 'connecting';
    onLanguage(() => this.render());
  }

  /** Show another status. */
  show(status) {
    this.status = status;
    this.render();
  }

  /** Show whether what is seen is 'live' or 'stale'. */
  connected(state) {
    this.connection = state;
    document.body.classList.toggle('stale', state !== 'live');
    this.render();
  }

  render() {
    const { status } = this;
    setText(byId('host'), status?.host ?? '');
    // Who watches many nodes sees by the tab which of them wants a look.
    const mark = status && !(status.ready && this.connection === 'live') ? '⚠ ' : '';
    document.title = `${mark}${status ? `${status.host} · ` : ''}ctidialer`;
    this.#state('connection', this.connection === 'live' ? 'good' : 'warn',
      t(`connection.${this.connection}`));
    this.#renderStates();
    this.#renderNotices();
    setText(byId('about'), status ? t('page.about', {
      ...status, uptime: lasting(Math.max(0, status.at - status.started)) }) : '');
  }

  #renderStates() {
    const { status } = this;
    if (!status) {
      this.#state('service', 'off', t('service.unknown'));
      return;
    }
    const missing = status.missing.map((one) => one.condition);
    const service = serviceOf(status.ready, missing);
    this.#state('service', service === 'ready' ? 'good' : 'bad', t(`service.${service}`));
    const switchState = !status.freeswitch_up ? 'away' : status.refused_until ? 'refusing' : 'up';
    this.#state('freeswitch', { up: 'good', refusing: 'warn', away: 'bad' }[switchState],
      t(`freeswitch.${switchState}`));
    const redisAway = missing.includes('redis_away');
    this.#state('redis', redisAway ? 'bad' : 'good', t(redisAway ? 'redis.away' : 'redis.up'));
  }

  #state(id, tone, text) {
    setAttribute(byId(id), 'data-tone', tone);
    setText(byId(id), text);
  }

  /** Notices are announced when they change: the same ones are left as they stand. */
  #renderNotices() {
    // Why nothing is dialed is not known any more while the daemon is not heard.
    const notices = this.connection === 'stale' ? [this.#staleNotice()] : this.#statusNotices();
    const said = JSON.stringify(notices);
    if (said === this.said) return;
    this.said = said;
    byId('notices').replaceChildren(...notices.map(notice));
  }

  #staleNotice() {
    const { status } = this;
    const text = status ? t('notice.stale', { when: when(status.at) }) : t('notice.never');
    return { tone: 'warn', text, parts: [] };
  }

  #statusNotices() {
    const { status } = this;
    const notices = [];
    if (status && !status.ready) {
      const parts = status.missing.map(problem);
      notices.push({ tone: 'bad', text: t('notice.not_ready'), parts });
    }
    if (status?.drain) notices.push({ tone: 'warn', text: drainOf(status.drain), parts: [] });
    if (status?.unwritten) {
      const text = t('notice.unwritten', { count: whole(status.unwritten) });
      notices.push({ tone: 'bad', text, parts: [] });
    }
    if (status?.refused_until) {
      const text = t('notice.refused', { when: when(status.refused_until) });
      notices.push({ tone: 'warn', text, parts: [] });
    }
    return notices;
  }
}

function serviceOf(ready, missing) {
  if (ready) return 'ready';
  return ['draining', 'drained'].find((state) => missing.includes(state)) ?? 'not_ready';
}

function drainOf({ by, since, why }) {
  return t('notice.drain', {
    by: by ? t('notice.by', { name: by }) : '',
    since: since ? t('notice.since', { when: exactly(since) }) : '',
    why: why ? t('notice.why', { why }) : '',
  });
}

function notice({ tone, text, parts }) {
  const list = parts.length ? el('ul', {}, ...parts.map((part) => el('li', {}, part))) : null;
  return el('div', { class: 'notice', 'data-tone': tone }, el('p', {}, text), list);
}
