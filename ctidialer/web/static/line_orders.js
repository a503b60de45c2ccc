/* Takes a line out of use, puts it back, and has one tried that faults have put out of use. */

import { order } from './api.js';
import { byId, el } from './dom.js';
import { t, when } from './i18n.js';
import { toast } from './toasts.js';
import { askWhy } from './why.js';

/** For how long a line can be taken out of use, in seconds; 0 = until it is put back. */
const SPANS = [0, 900, 1800, 3600, 14_400, 43_200];

/** A box to choose all hosts with; it is not shown where one works alone. */
function hostsChoice() {
  const box = el('input', { type: 'checkbox' });
  const label = el('label', { class: 'tick' }, box, t('lines.everywhere'));
  label.hidden = byId('hosts-section').hidden;
  return { box, label };
}

/** Ask for how long, where and why, and take the line out of use; `done` is called after it. */
export async function takeOut(name, done) {
  const span = el('select', { id: 'line-span' },
    ...SPANS.map((seconds) => el('option', { value: seconds }, t(`lines.for_${seconds}`))));
  const { box, label } = hostsChoice();
  const why = await askWhy('line_off', { line: name }, [
    el('label', { for: 'line-span' }, t('lines.for')), span, label]);
  if (why == null) return;
  const body = { why, all_hosts: box.checked, seconds: Number(span.value) || null };
  const undo = () => give(name, 'on', { all_hosts: body.all_hosts }, done);
  await give(name, 'off', body, done, undo);
}

/** Put a line back; it can be undone with the order that stood.  Where there are several hosts, ask
 *  on which. */
export async function putBack({ name, off }, done) {
  const { box, label } = hostsChoice();
  const why = label.hidden ? '' : await askWhy('line_on', { line: name }, [label]);
  if (why == null) return;
  const left = off?.until == null ? null : Math.ceil(off.until - Date.now() / 1000);
  const again = { why: off?.order.why ?? '', seconds: left, all_hosts: box.checked };
  const undo = left != null && left < 1 ? null : () => give(name, 'off', again, done);
  await give(name, 'on', { why, all_hosts: box.checked }, done, undo);
}

/** Have the next number try a line that faults have put out of use. */
export const tryNow = (name, done) => give(name, 'try', {}, done);

async function give(name, what, body, done, undo = null) {
  const about = `line ${name}`;
  try {
    const answer = await order(`api/lines/${encodeURIComponent(name)}/${what}`, body);
    const failed = (answer.hosts ?? []).filter(({ error }) => error);
    if (failed.length) {
      const problem = failed.map(({ host, error }) => `${host}: ${error}`).join('; ');
      toast(t('toast.failed', { task: name, problem }), { about, undo, tone: 'bad' });
    } else {
      toast(said(name, what, answer), { about, undo });
    }
  } catch (error) {
    const problem = error.status ? error.message : t('toast.away');
    toast(t('toast.failed', { task: name, problem }), { about, tone: 'bad' });
  }
  done();
}

function said(line, what, { until, hosts = [] }) {
  if (what === 'off' && until != null) return t('lines.done_off_until', { line, until: when(until) });
  return t(`lines.done_${what}`, { line, hosts: hosts.map(({ host }) => host).join(', ') });
}
