/* Wires the page together: what the daemon tells goes to the parts that show it. */

import { get, order, toLogin } from './api.js';
import { OutcomeChart, RateChart } from './charts.js';
import { byId } from './dom.js';
import { DrainButton } from './drain.js';
import { Figures } from './figures.js';
import { Header } from './header.js';
import { History } from './history.js';
import { Hosts } from './hosts.js';
import { startLanguage, t } from './i18n.js';
import { Lines } from './lines.js';
import { Ranges } from './ranges.js';
import { Records } from './records.js';
import { Results } from './results.js';
import { Schedules } from './schedules.js';
import { Shared } from './shared.js';
import { Stream } from './stream.js';
import { startTabs } from './tabs.js';
import { Tasks } from './tasks.js';
import { startTheme } from './theme.js';
import { toast } from './toasts.js';

const history = new History();
const header = new Header();
const figures = new Figures(history);
const charts = [
  new RateChart(byId('rate-chart'), history),
  new OutcomeChart(byId('outcome-chart'), history),
];
const ranges = new Ranges(history, showHistory);
const drain = new DrainButton();
const tasks = new Tasks();
const schedules = new Schedules();
const lines = new Lines();
const shared = new Shared();
const hosts = new Hosts();
const records = new Records();
const results = new Results();

function show(status) {
  if (history.add(status.sample)) loadHistory();
  header.show(status);
  drain.show(status);
  figures.show(status);
  tasks.status(status);
  lines.status(status);
  shared.status(status);
  if (!document.hidden && history.isLive) for (const { frame } of charts) frame.redraw();
}

function showHistory() {
  figures.render();
  for (const { frame } of charts) frame.redraw();
}

async function loadHistory() {
  try {
    history.merge((await get('api/history')).samples);
    showHistory();
  } catch {
    // The charts begin now, then; that nothing is heard is said in the header.
  }
}

/** Ask for all that the stream does not tell: at first, and whenever it was away. */
function connected(state) {
  header.connected(state);
  if (state !== 'live') return;
  loadHistory();
  ranges.load();
  loadTables();
  hosts.load();
  results.load();
  records.reconnected();
}

function loadTables() {
  tasks.load();
  schedules.load();
  lines.load();
}

byId('sign-out').addEventListener('click', async () => {
  try {
    await order('logout');
    toLogin();
  } catch (error) {
    const problem = error.status ? error.message : t('toast.away');
    toast(t('page.sign_out_failed', { problem }), { tone: 'bad' });
  }
});

startTheme();
startLanguage();
startTabs(loadTables);
new Stream({
  status: show,
  record: (record) => records.add(record),
  skipped: ({ records: count }) => records.skip(count),
  state: connected,
}).start();
