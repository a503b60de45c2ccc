/* What happened in the last ten minutes (second by second, from the stream), in the last hour, or
   today: what the charts and some of the figures are made of. */

/** How finely each span is told (`step`), drawn as bars (`group`), listed (`row`) and labelled. */
export const SPANS = {
  '10m': { step: 1, group: 10, row: 60, label: 120, seconds: 600 },
  hour: { step: 60, group: 60, row: 300, label: 600, seconds: 3600 },
  today: { step: 900, group: 900, row: 3600, label: 10_800, seconds: 86_400 },
};

/** More than so many steps between two samples, and one is missing; or nobody told of a while. */
const ONE_MISSING = 1.8;
const SILENCE = 2.5;

/** The outcomes that are drawn one by one, in the order in which they are stacked: those of numbers
 *  that were called. The others never reached a line. */
export const DRAWN = [
  'answered', 'busy', 'no_answer', 'rejected', 'unallocated', 'failed', 'unknown'];

/** All other outcomes are drawn as one. */
export const OTHER = 'other';

export class History {
  constructor() {
    this.live = [];
    this.older = [];
    this.isLiveLoaded = false; // before that, nothing can be said of ten minutes
    this.choose('10m');
  }

  /** Tell of another span; what is longer than ten minutes has to be shown with `showOlder`. */
  choose(span) {
    this.span = span;
    Object.assign(this, SPANS[span]);
    this.older = [];
    this.isOlderLoaded = false;
  }

  get isLive() {
    return this.span === '10m';
  }

  get isLoaded() {
    return this.isLive ? this.isLiveLoaded : this.isOlderLoaded;
  }

  get samples() {
    return this.isLive ? this.live : this.older;
  }

  /** The newest moment that is known (unix seconds of the daemon), 0 = none. */
  get end() {
    return this.samples.at(-1)?.at ?? 0;
  }

  /** Take what the daemon knows of a span that is longer than ten minutes. */
  showOlder({ seconds, samples }) {
    this.isOlderLoaded = true;
    this.older = samples;
    this.seconds = Math.max(this.row, Math.ceil(seconds / this.group) * this.group);
  }

  /** Take what the daemon remembers; a daemon that was restarted does not know what we do. */
  merge(samples) {
    this.isLiveLoaded = true;
    const known = new Map([...this.live, ...samples].map((sample) => [sample.at, sample]));
    this.live = [...known.values()].sort((a, b) => a.at - b.at);
    this.#forget();
  }

  /** Take one sample of the stream, which may repeat the one before, or leave one out; returns
   *  whether one seems to be missing. */
  add(sample) {
    const newest = this.live.at(-1)?.at ?? 0;
    if (!sample || sample.at <= newest) return false;
    const missing = this.live.length > 0 && sample.at - newest > ONE_MISSING;
    this.live.push(sample);
    this.#forget();
    return missing;
  }

  #forget() {
    const oldest = (this.live.at(-1)?.at ?? 0) - SPANS['10m'].seconds;
    const first = this.live.findIndex((sample) => sample.at >= oldest);
    if (first > 0) this.live.splice(0, first);
  }

  /** The calls that were started, over the whole time. */
  started() {
    return this.samples.reduce((sum, sample) => sum + sample.started, 0);
  }

  /** The conversations over the whole time, and their mean length; null = there were none. */
  talk() {
    let [count, seconds] = [0, 0];
    for (const sample of this.samples) {
      count += sample.talks;
      seconds += sample.talk_seconds;
    }
    return count ? { count, mean: seconds / count } : null;
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
    const counts = this.outcomes();
    const called = DRAWN.reduce((sum, name) => sum + counts[name], 0);
    return called ? counts.answered / called : null;
  }

  /** The samples in spans of `seconds`, oldest first: [{from, samples}]; empty spans are there. */
  spans(seconds) {
    const many = Math.ceil(this.seconds / seconds);
    // A sample tells of the time before it: the one at the end of a span belongs to that span.
    const last = Math.ceil(this.end / seconds) - 1;
    const spans = Array.from({ length: many }, (_, index) => ({
      from: (last - many + 1 + index) * seconds,
      samples: [],
    }));
    for (const sample of this.samples) {
      spans[Math.ceil(sample.at / seconds) - 1 - spans[0].from / seconds]?.samples.push(sample);
    }
    return spans;
  }

  /** The samples in runs, parted where some are missing: a line across would tell of calls that
   *  nobody counted. */
  runs() {
    const runs = [];
    this.samples.forEach((sample, index) => {
      const before = this.samples[index - 1];
      if (!before || sample.at - before.at > SILENCE * this.step) runs.push([]);
      runs.at(-1).push(sample);
    });
    return runs;
  }
}
