/* The samples of the last ten minutes, one a second: loaded once, and then from the stream. */

export const SPAN = 600;

/** Samples are a second apart; more than this many seconds, and one is missing between them. */
const GAP = 1.8;

/** The outcomes that are drawn one by one, in the order in which they are stacked: those of numbers
 *  that were called. The others never reached a line. */
export const DRAWN = [
  'answered', 'busy', 'no_answer', 'rejected', 'unallocated', 'failed', 'unknown'];

/** All other outcomes are drawn as one. */
export const OTHER = 'other';

export class History {
  constructor() {
    this.samples = [];
    this.isLoaded = false; // before that, nothing can be said of ten minutes
  }

  /** The newest moment that is known (unix seconds of the daemon), 0 = none. */
  get end() {
    return this.samples.at(-1)?.at ?? 0;
  }

  /** Take what the daemon remembers; a daemon that was restarted does not know what we do. */
  merge(samples) {
    this.isLoaded = true;
    const known = new Map([...this.samples, ...samples].map((sample) => [sample.at, sample]));
    this.samples = [...known.values()].sort((a, b) => a.at - b.at);
    this.#forget();
  }

  /** Take one sample of the stream, which may repeat the one before, or leave one out; returns
   *  whether one seems to be missing. */
  add(sample) {
    if (!sample || sample.at <= this.end) return false;
    const missing = this.samples.length > 0 && sample.at - this.end > GAP;
    this.samples.push(sample);
    this.#forget();
    return missing;
  }

  #forget() {
    const oldest = this.end - SPAN;
    const first = this.samples.findIndex((sample) => sample.at >= oldest);
    if (first > 0) this.samples.splice(0, first);
  }

  /** The calls that were started, over the whole time. */
  started() {
    return this.samples.reduce((sum, sample) => sum + sample.started, 0);
  }

  /** The outcomes by drawn name, over the whole time or in `samples`. */
  outcomes(samples = this.samples) {
    const counts = Object.fromEntries([...DRAWN, OTHER].map((name) => [name, 0]));
    for (const sample of samples) {
      for (const [name, count] of Object.entries(sample.outcomes)) {
        counts[DRAWN.includes(name) ? name : OTHER] += count;
      }
    }
    return counts;
  }

  /** The share of answered numbers among those that were called, null = none was. */
  answeredShare() {
    let [answered, called] = [0, 0];
    for (const { outcomes } of this.samples) {
      answered += outcomes.answered ?? 0;
      for (const name of DRAWN) called += outcomes[name] ?? 0;
    }
    return called ? answered / called : null;
  }

  /** The samples in spans of `seconds`, oldest first: [{from, samples}]; empty spans are there. */
  spans(seconds) {
    const last = Math.floor(this.end / seconds);
    const spans = Array.from({ length: SPAN / seconds }, (_, index) => ({
      from: (last - SPAN / seconds + 1 + index) * seconds,
      samples: [],
    }));
    for (const sample of this.samples) {
      spans[Math.floor(sample.at / seconds) - spans[0].from / seconds]?.samples.push(sample);
    }
    return spans;
  }
}
