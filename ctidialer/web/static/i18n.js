/* The words of the page in the language that was chosen, and numbers and times as people there
   write them. */

import { byId, remember, remembered, setAttribute, setText } from './dom.js';
import en from './en.js';
import { FORM_TONES, FORMS, SCHEDULE_REASONS, TASK_REASONS, WORDS } from './reasons.js';
import zh from './zh.js';

const TABLES = { en: { ...en, ...WORDS.en }, zh: { ...zh, ...WORDS.zh } };
const LOCALES = { en: 'en-GB', zh: 'zh-CN' };
const listeners = [];
let language = 'en';
let formats = formatsOf(language);

/** Return the text for a key, with {names} replaced by values. */
export function t(key, values = {}) {
  const text = TABLES[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return the text for a word of the daemon, null = there is none. */
export const known = (group, value) => TABLES[language][`${group}.${value}`] ?? null;

/** Return the text for a word of the daemon; a later daemon may have words not known here. */
export function word(group, value) {
  return known(group, value) ?? String(value).replaceAll('_', ' ');
}

/** Whether the daemon's own sentences, which are English, are in the language of the page. */
export const speaksEnglish = () => language === 'en';

/** Return the sentence for a word of the daemon, whose own English one is `text`, in the language
 *  of the page.  A daemon of another version may not have told all that it names. */
export function sentence(group, value, { text, form = '', values = {} }) {
  if (speaksEnglish()) return text;
  const template = FORMS[language][`${group}.${value}`]?.[form];
  const told = template == null ? null : filled(template, values);
  return told ?? `${word(group, value)}（${text}）`;
}

/** Fill a template of the daemon as it does: a part in [brackets] is left out where a value that
 *  it names is not there; null where another one is not.  A value that is a text itself may be
 *  there in the language of the page, too: `faults_zh` beside `faults`. */
function filled(template, values) {
  const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const isTold = (text) => names(text).every((name) => name in values);
  const parts = template.split(/\[([^[\]]*)\]/)
    .filter((part, index) => index % 2 === 0 || isTold(part));
  if (!parts.every(isTold)) return null;
  const value = (name) => values[`${name}_${language}`] ?? values[name];
  return parts.map((part) => part.replace(/\{(\w+)\}/g, (_, name) => value(name))).join('');
}

/** Return the tone of what the daemon explains. */
export const toneOf = ({ reason, form }) => (
  FORM_TONES[`${reason}.${form}`] ?? TASK_REASONS[reason] ?? SCHEDULE_REASONS[reason] ?? 'off');

/** Return the sentence of what the daemon explains; its lines are named in it. */
export function explanation(explained) {
  const { reason, text, form, lines = [], lines_left_out: leftOut } = explained;
  const values = { ...explained.values };
  if (lines.length && !leftOut) {
    values.lines = linesSaid(lines.map((line) => [line.name, sentence('line', line.why, line)]));
  }
  return sentence('reason', reason, { text, form, values });
}

/** Name a few lines one by one; count many for each reason. */
function linesSaid(lines) {
  const whyOf = new Map(lines);
  if (whyOf.size <= 5) return [...whyOf].map(([name, why]) => `${name}：${why}`).join('；');
  const counts = new Map();
  for (const why of whyOf.values()) counts.set(why, (counts.get(why) ?? 0) + 1);
  const often = [...counts].toSorted(([, one], [, other]) => other - one);
  return often.map(([why, count]) => `${why}：${count}`).join('；');
}

/** Call back whenever another language was chosen. */
export const onLanguage = (listener) => listeners.push(listener);

/** Choose the language of the browser, or the one that was chosen here before. */
export function startLanguage() {
  const preferred = navigator.language?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  const chosen = remembered('language');
  const choice = byId('language');
  choice.addEventListener('change', () => {
    remember('language', choice.value);
    speak(choice.value);
  });
  speak(chosen in TABLES ? chosen : preferred);
  choice.value = language;
}

function speak(chosen) {
  language = chosen;
  formats = formatsOf(chosen);
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en';
  for (const node of document.querySelectorAll('[data-t]')) setText(node, t(node.dataset.t));
  for (const node of document.querySelectorAll('[data-t-label]')) {
    setAttribute(node, 'aria-label', t(node.dataset.tLabel));
  }
  for (const node of document.querySelectorAll('[data-t-placeholder]')) {
    setAttribute(node, 'placeholder', t(node.dataset.tPlaceholder));
  }
  for (const listener of listeners) listener();
}

// Making these is slow, and every second wants hundreds of numbers: they are made once a language.
function formatsOf(chosen) {
  const locale = LOCALES[chosen];
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const date = { ...time, month: 'short', day: 'numeric' };
  return {
    whole: new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }),
    rate: new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }),
    share: new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }),
    minute: new Intl.DateTimeFormat(locale, time),
    second: new Intl.DateTimeFormat(locale, { ...time, second: '2-digit' }),
    year: new Intl.DateTimeFormat(locale, { ...date, year: 'numeric' }),
    day: new Intl.DateTimeFormat(locale, date),
    exact: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' }),
  };
}

/** 12,345 */
export const whole = (number) => formats.whole.format(number);

/** 12.25; rates carry at most two decimals. */
export const rate = (number) => formats.rate.format(number);

/** 71.4 % of a share between 0 and 1. */
export const share = (number) => formats.share.format(number);

/** 14:03; moments are unix seconds everywhere, shown in the time of who looks. */
export const minuteOf = (moment) => formats.minute.format(moment * 1000);

/** 14:03:20 */
export const secondOf = (moment) => formats.second.format(moment * 1000);

/** The whole date, with the time zone. */
export const exactly = (moment) => formats.exact.format(moment * 1000);

/** The time, with the date where it is not today, and the year where it is another. */
export function when(moment) {
  const [now, then] = [new Date(), new Date(moment * 1000)];
  if (now.toDateString() === then.toDateString()) return secondOf(moment);
  return formats[now.getFullYear() === then.getFullYear() ? 'day' : 'year'].format(then);
}

/** 0.8 s, 42 s, 3 min 5 s, 2 h 10 min */
export function lasting(seconds) {
  if (seconds < 10) return t('unit.s', { s: rate(Math.round(seconds * 10) / 10) });
  const s = Math.round(seconds);
  if (s < 60) return t('unit.s', { s });
  if (s < 3600) return t('unit.min', { min: Math.floor(s / 60), s: s % 60 });
  return t('unit.h', { h: whole(Math.floor(s / 3600)), min: Math.floor((s % 3600) / 60) });
}
