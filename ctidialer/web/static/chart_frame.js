/* What both charts have in common: axes, the reading of one moment by pointer or arrow keys, a
   summary for those who do not see it, and the same figures as a table. */

import { el, setAttribute, setText, svg } from './dom.js';
import { minuteOf, onLanguage, rate, t } from './i18n.js';

const HEIGHT = 190;
const MARGIN = { top: 10, right: 10, bottom: 22, left: 38 };

/** A round number at or above `most` whose quarters are whole numbers: calls are. */
function roundAbove(most) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(most || 1)) - 1);
  return [4, 8, 12, 16, 20, 24, 32, 40, 60, 80, 100].map((times) => times * unit)
    .find((top) => top >= most);
}

export class Frame {
  /** `chart` has `key` (of its title), `history`, draw(), read(point) and table(): [heads, rows]. */
  constructor(figure, chart) {
    this.chart = chart;
    this.points = [];
    this.cursor = null;
    this.#build(figure);
    this.#listen();
    onLanguage(() => this.redraw());
    // The newest figures wait while the tab is hidden; the width is only known when it is shown.
    new ResizeObserver(() => this.redraw()).observe(this.plot);
  }

  #build(figure) {
    const id = `${figure.id}-title`;
    this.title = el('h3', { id });
    this.reading = el('span', { class: 'reading' });
    this.summary = el('p', { id: `${figure.id}-summary`, class: 'unseen' });
    this.area = svg('g');
    this.axes = svg('g', { class: 'axes' });
    this.rule = svg('line', { class: 'rule', y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
    this.picture = svg('svg', { height: HEIGHT, 'aria-hidden': 'true' });
    this.picture.append(this.axes, this.area, this.rule);
    this.plot = el('div', {
      class: 'plot', role: 'slider', tabindex: 0, 'aria-labelledby': id,
      'aria-describedby': this.summary.id, 'aria-valuemin': 0,
    }, this.picture);
    this.legend = el('ul', { class: 'legend' });
    this.cells = el('tbody');
    this.heads = el('tr');
    this.details = el('details', {}, el('summary', { 'data-t': 'charts.table' }),
      el('div', { class: 'scroll' }, el('table', { 'aria-labelledby': id },
        el('thead', {}, this.heads), this.cells)));
    figure.append(el('figcaption', {}, this.title, this.reading), this.plot, this.summary,
      this.legend, this.details);
  }

  #listen() {
    this.plot.addEventListener('pointermove', (event) => this.#point(event));
    this.plot.addEventListener('pointerdown', (event) => this.#point(event));
    this.plot.addEventListener('pointerleave', () => this.#read(null));
    this.plot.addEventListener('keydown', (event) => this.#key(event));
    this.plot.addEventListener('focus', () => this.#say());
    this.plot.addEventListener('blur', () => this.#read(null));
    this.details.addEventListener('toggle', () => this.#fillTable());
  }

  /** Draw anew, from what the chart knows now. */
  redraw() {
    this.width = this.plot.clientWidth;
    if (!this.width) return;
    setText(this.title, t(`charts.${this.chart.key}_${this.chart.history.span}`));
    setAttribute(this.picture, 'width', this.width);
    this.chart.draw(this);
    this.#read(this.cursor);
    this.#fillTable();
  }

  /** Set the scales and draw the axes: times up to `end`, values from 0 to about `most`. */
  scale(end, most, points) {
    this.end = end;
    this.top = roundAbove(most);
    this.points = points;
    setAttribute(this.plot, 'aria-valuemax', Math.max(0, points.length - 1));
    this.axes.replaceChildren(...this.#values(), ...this.#times());
  }

  x(at) {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + inner * (1 - (this.end - at) / this.chart.history.seconds);
  }

  y(value) {
    return HEIGHT - MARGIN.bottom - (HEIGHT - MARGIN.top - MARGIN.bottom) * (value / this.top);
  }

  #values() {
    return [0, 1, 2, 3, 4].flatMap((quarter) => {
      const value = (this.top * quarter) / 4;
      const y = Math.round(this.y(value)) + 0.5;
      return [
        svg('line', { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y }),
        svg('text', { x: MARGIN.left - 6, y: y + 3.5, 'text-anchor': 'end' }, rate(value)),
      ];
    });
  }

  #times() {
    const labels = [];
    const { seconds, label } = this.chart.history;
    const first = Math.ceil((this.end - seconds) / label) * label;
    for (let at = first; this.end && at <= this.end; at += label) {
      const x = this.x(at);
      // Half a label at the edge would be cut off, or run into its neighbour.
      if (x < MARGIN.left + 12 || x > this.width - 20) continue;
      labels.push(svg('text', { x, y: HEIGHT - 6, 'text-anchor': 'middle' }, minuteOf(at)));
    }
    return labels;
  }

  #point(event) {
    if (!this.points.length) return;
    const x = event.clientX - this.picture.getBoundingClientRect().left;
    const far = (point) => Math.abs(this.x(point.at) - x);
    this.#read(this.points.reduce((best, point) => (far(point) < far(best) ? point : best)).at);
  }

  #key(event) {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10,
      PageDown: -10, Home: -Infinity, End: Infinity };
    if (event.key === 'Escape') this.#read(null);
    if (!(event.key in steps) || !this.points.length) return;
    event.preventDefault();
    const next = this.#index() + steps[event.key];
    this.#read(this.points[Math.min(Math.max(next, 0), this.points.length - 1)].at);
    this.#say();
  }

  /** The point that is read: the newest where none was chosen, or it has passed out of sight. */
  #index() {
    const found = this.points.findIndex((point) => point.at === this.cursor);
    return found < 0 ? this.points.length - 1 : found;
  }

  #read(cursor) {
    this.cursor = cursor;
    const point = this.points[this.#index()];
    setText(this.reading, point ? this.chart.read(point) : t('charts.empty'));
    this.rule.classList.toggle('shown', cursor != null && point != null);
    if (point) {
      setAttribute(this.rule, 'x1', this.x(point.at));
      setAttribute(this.rule, 'x2', this.x(point.at));
    }
  }

  /** Say the value aloud: only when asked for, not every second. */
  #say() {
    setAttribute(this.plot, 'aria-valuenow', Math.max(0, this.#index()));
    setAttribute(this.plot, 'aria-valuetext', `${this.reading.textContent}. ${t('charts.move')}`);
  }

  #fillTable() {
    if (!this.details.open) return;
    const [heads, rows] = this.chart.table();
    this.heads.replaceChildren(...heads.map((text) => el('th', { scope: 'col' }, text)));
    this.cells.replaceChildren(...rows.map(([head, ...cells]) => el('tr', {},
      el('th', { scope: 'row' }, head), ...cells.map((text) => el('td', {}, text)))));
  }
}
