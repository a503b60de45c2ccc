/* Below a task's details: how its agents fare now, and, when it is asked for, how the rest of its
   list will go.  It is simulated for some seconds, so it is never asked for by itself. */

import { get, Refused } from './api.js';
import { el, setAttribute, setText } from './dom.js';
import { lasting, share, speaksEnglish, t, when, whole } from './i18n.js';

let made = 0;

export class ForecastPanel {
  constructor(task) {
    this.task = task;
    this.found = null;
    this.failed = null;
    this.now = el('p', { class: 'quiet' });
    this.said = el('div', { 'aria-live': 'polite' });
    this.node = el('div', { class: 'explained forecast' }, this.now, this.#form(), this.said);
  }

  #form() {
    const id = `forecast-agents-${++made}`;
    this.agents = el('input', { type: 'number', id, min: 1, max: 100000, inputmode: 'numeric' });
    this.agentsLabel = el('label', { for: id });
    this.button = el('button', { type: 'submit' });
    const form = el('form', { class: 'stack' }, this.button, this.agentsLabel, this.agents);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#ask();
    });
    return form;
  }

  /** Show what the list knows of the task, in the language of now. */
  refresh({ pacing }) {
    const isPaced = Boolean(pacing) && (pacing.queue || pacing.group) && pacing.mode !== 'batch';
    this.now.hidden = !isPaced;
    if (isPaced) setText(this.now, present(pacing));
    for (const node of [this.agents, this.agentsLabel]) node.hidden = !isPaced;
    if (!isPaced) this.agents.value = '';
    setText(this.agentsLabel, t('forecast.with'));
    setAttribute(this.agents, 'placeholder', t('forecast.as_now'));
    setText(this.button, t(this.button.disabled ? 'forecast.busy' : 'forecast.ask'));
    const shown = JSON.stringify([this.found, this.failed, document.documentElement.lang]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.said.replaceChildren(...this.#lines());
  }

  #lines() {
    if (this.failed) return [el('p', { lang: 'en' }, this.failed)];
    return this.found ? foreseen(this.found) : [];
  }

  async #ask() {
    this.button.disabled = true;
    setText(this.button, t('forecast.busy'));
    this.found = this.failed = null;
    try {
      const path = `api/tasks/${encodeURIComponent(this.task)}/forecast`;
      this.found = await get(path, { agents: this.agents.value });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.failed = error.message;
    } finally {
      this.button.disabled = false;
      this.onAnswer?.();
    }
  }
}

/** How busy agents are, calls on their way against what is foreseen of them, and the ceiling. */
function present(pacing) {
  const { answer_rate: rate, risk, use, ringing, waiting } = pacing;
  const parts = [];
  if (use != null) parts.push(t('forecast.use', { use: share(use) }));
  parts.push(rate == null
    ? t('forecast.way', { ringing: whole(ringing), free: whole(pacing.free) })
    : t('forecast.way_foreseen', {
      ringing: whole(ringing), free: whole(pacing.free), answers: whole(waiting + ringing * rate) }));
  if (risk != null) parts.push(t('forecast.risk', { risk: share(risk) }));
  parts.push(t('forecast.bears', { more: whole(pacing.can_bear), ceiling: share(pacing.ceiling) }));
  return parts.join(' · ');
}

function foreseen(found) {
  const { held } = found;
  const assumed = found.assumptions.map(({ en, zh }) => el('li', {}, speaksEnglish() ? en : zh));
  return [
    el('p', { class: 'end' }, end(found)),
    el('p', {}, t('forecast.calls', {
      calls: whole(found.calls.middle), answered: whole(found.answered.middle) })),
    found.agent_use ? el('p', {}, ofAgents(found)) : null,
    el('p', {}, t('forecast.wait', {
      hours: whole(held.callee_hours), caps: whole(held.caps), retries: whole(held.retries),
      closed: lasting(held.closed_seconds) })),
    el('p', {}, t('forecast.never', {
      dnc: whole(held.dnc), closed: whole(held.closed), capped: whole(held.capped),
      invalid: whole(held.invalid) })),
    el('h3', {}, t('forecast.rests')),
    el('ul', {}, ...assumed),
  ].filter(Boolean);
}

function end({ ends: part, ends_at: ends, until, left }) {
  if (!ends) return t('forecast.no_end', { until: when(until), left: whole(left.middle) });
  const { low, middle, high } = ends;
  const said = t('forecast.ends', { middle: when(middle), low: when(low), high: when(high) });
  // Where it does not end in every run, `until` stands for those in which it does not.
  if (part === 1) return said;
  return `${said} · ${t('forecast.some_end', { share: share(part), until: when(until) })}`;
}

function ofAgents({ agents, agent_use: use, abandoned_share: lost, ceiling }) {
  return t('forecast.agents', {
    agents: whole(agents), use: share(use.middle), low: share(use.low), high: share(use.high),
    abandoned: share(lost?.middle ?? 0), ceiling: share(ceiling) });
}
