/* The two charts: calls started, and outcomes, by the second and ten seconds, or by longer steps. */

import { Frame } from './chart_frame.js';
import { el, setAttribute, setText, svg } from './dom.js';
import { DRAWN, OTHER } from './history.js';
import { minuteOf, rate, secondOf, share, t, whole, word } from './i18n.js';

const NAMES = [...DRAWN, OTHER];
const UNKNOWN = NAMES.map(() => '–');

/** Draws the calls started in each step, as an area below a line. */
export class RateChart {
  key = 'rate';

  constructor(figure, history) {
    this.history = history;
    this.fill = svg('path', { class: 'rate-fill' });
    this.line = svg('path', { class: 'rate-line' });
    this.frame = new Frame(figure, this);
    this.frame.area.append(this.fill, this.line);
    // It has one series and needs no legend: the summary stands there, for everybody.
    this.frame.legend.remove();
    this.frame.summary.className = 'legend quiet';
  }

  draw(frame) {
    const { samples, end } = this.history;
    const most = Math.max(0, ...samples.map((sample) => sample.started));
    frame.scale(end, most, samples);
    const runs = this.history.runs().map((run) => run.map(
      (sample) => `${frame.x(sample.at).toFixed(1)},${frame.y(sample.started).toFixed(1)}`));
    const base = frame.y(0);
    setAttribute(this.line, 'd', runs.map((run) => `M${run.join('L')}`).join(''));
    setAttribute(this.fill, 'd', runs.map((run) => {
      const [first, last] = [run[0], run.at(-1)].map((point) => point.split(',')[0]);
      return `M${first},${base}L${run.join('L')}L${last},${base}Z`;
    }).join(''));
    const now = samples.at(-1)?.started ?? 0;
    setText(frame.summary, this.history.isLoaded ? t(`charts.rate_summary_${this.history.span}`,
      { started: whole(this.history.started()), most: rate(most), now: rate(now) }) : '');
  }

  read({ at, started, calls }) {
    return t('charts.rate_reading', {
      when: this.history.isLive ? secondOf(at) : minuteOf(at),
      started: whole(started),
      calls: whole(calls),
    });
  }

  table() {
    const most = (samples, name) => Math.max(0, ...samples.map((sample) => sample[name]));
    // A time of which nothing is known, before this daemon began, say, is none of zero calls.
    const rows = this.history.spans(this.history.row).map(({ from, samples }) => [
      minuteOf(from),
      ...(samples.length ? [
        whole(samples.reduce((sum, sample) => sum + sample.started, 0)),
        whole(most(samples, 'started')),
        whole(most(samples, 'calls')),
      ] : UNKNOWN.slice(0, 3)),
    ]);
    return [['time', 'started', 'most', 'up'].map((head) => t(`charts.${head}`)), rows.reverse()];
  }
}

/** Draws the outcomes of each group of steps, stacked; each has a pattern beside its colour. */
export class OutcomeChart {
  key = 'outcomes';

  constructor(figure, history) {
    this.history = history;
    this.frame = new Frame(figure, this);
    this.frame.area.append(svg('defs', {}, ...NAMES.map(pattern)));
    this.bars = Object.fromEntries(NAMES.map((name) => [name,
      svg('path', { class: `of-${name}`, fill: `url(#pattern-${name})` })]));
    this.frame.area.append(...Object.values(this.bars));
    this.keys = Object.fromEntries(NAMES.map((name) => [name, legendItem(name)]));
    this.frame.legend.append(...Object.values(this.keys).map((key) => key.item));
  }

  draw(frame) {
    const { group } = this.history;
    const spans = this.history.end ? this.history.spans(group) : [];
    const points = spans.map(({ from, samples }) => (
      { at: from + group / 2, counts: this.history.outcomes(samples) }));
    const most = Math.max(0, ...points.map(({ counts }) => sum(counts)));
    frame.scale(spans.length ? spans.at(-1).from + group : 0, most, points);
    for (const [name, d] of Object.entries(stacked(frame, points, group))) {
      setAttribute(this.bars[name], 'd', d);
    }
    this.#drawLegend();
  }

  #drawLegend() {
    const counts = this.history.outcomes();
    const all = sum(counts);
    for (const [name, { item, label, count }] of Object.entries(this.keys)) {
      setText(label, word('outcome', name));
      const known = all ? `${whole(counts[name])} · ${share(counts[name] / all)}` : '0';
      setText(count, this.history.isLoaded ? known : '–');
      item.classList.toggle('absent', !counts[name]);
    }
    const parts = inWords(counts);
    setText(this.frame.summary, t(`charts.outcomes_summary_${this.history.span}`, { parts }));
  }

  read({ at, counts }) {
    const { group, isLive } = this.history;
    const [from, to] = [at - group / 2, at + group / 2].map(isLive ? secondOf : minuteOf);
    return t('charts.outcomes_reading', { from, to, parts: inWords(counts) });
  }

  table() {
    const rows = this.history.spans(this.history.row).map(({ from, samples }) => [
      minuteOf(from),
      ...(samples.length ? Object.values(this.history.outcomes(samples)).map(whole) : UNKNOWN),
    ]);
    return [[t('charts.time'), ...NAMES.map((name) => word('outcome', name))], rows.reverse()];
  }
}

const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

function inWords(counts) {
  const parts = Object.entries(counts).filter(([, count]) => count)
    .map(([name, count]) => `${word('outcome', name)} ${whole(count)}`);
  return parts.join(' · ') || t('charts.nothing');
}

/** The bars of each outcome as the path of one element: thousands of elements would be slow. */
function stacked(frame, points, group) {
  const paths = Object.fromEntries(NAMES.map((name) => [name, '']));
  const width = Math.max(1, frame.x(frame.end) - frame.x(frame.end - group) - 1.5);
  for (const { at, counts } of points) {
    let below = 0;
    for (const name of NAMES) {
      if (!counts[name]) continue;
      const [bottom, top] = [frame.y(below), frame.y(below + counts[name])];
      paths[name] += `M${(frame.x(at) - width / 2).toFixed(1)},${bottom.toFixed(1)}`
        + `h${width.toFixed(1)}V${top.toFixed(1)}h-${width.toFixed(1)}Z`;
      below += counts[name];
    }
  }
  return paths;
}

const STROKES = {
  answered: [],
  busy: ['M0,6L6,0M-1,1L1,-1M5,7L7,5'],
  no_answer: ['M0,3H6'],
  rejected: ['M0,0L6,6M-1,5L1,7M5,-1L7,1'],
  unallocated: ['M3,0V6'],
  failed: ['M0,0L6,6M0,6L6,0'],
  unknown: ['M1,1H5V5H1Z'],
  other: ['M2,3H4'],
};

function pattern(name) {
  return svg('pattern', {
    id: `pattern-${name}`, class: `of-${name}`, width: 6, height: 6,
    patternUnits: 'userSpaceOnUse',
  }, svg('rect', { width: 6, height: 6 }), ...STROKES[name].map((d) => svg('path', { d })));
}

function legendItem(name) {
  const label = el('span');
  const count = el('span', { class: 'count' });
  const mark = svg('svg', { width: 12, height: 12, 'aria-hidden': 'true' },
    svg('rect', { width: 12, height: 12, rx: 2, fill: `url(#pattern-${name})` }));
  return { item: el('li', {}, mark, label, count), label, count };
}
