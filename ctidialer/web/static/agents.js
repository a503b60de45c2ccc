/* The agents of a task and its abandoned calls, in one line. */

import { share, t, whole } from './i18n.js';

/** What is to be said of the agents of a task; empty = it counts none. */
export function agentsLine(pacing) {
  const isKnown = pacing && (pacing.queue || pacing.group) && !pacing.problem;
  return isKnown ? ofAgents(pacing) : '';
}

/** What is to be said of its abandoned calls; empty = none was answered yet. */
export const abandonedLine = (pacing) => (pacing?.answered ? ofAbandoned(pacing) : '');

/** Whether more calls were abandoned than there may be. */
export const isOverCeiling = (pacing) => (
  Boolean(pacing?.answered) && pacing.abandoned / pacing.answered > pacing.ceiling);

function ofAgents(pacing) {
  return t('tasks.agents', {
    free: whole(pacing.free),
    ringing: whole(pacing.agents_ringing),
    talking: whole(pacing.talking),
    wrap_up: whole(pacing.wrap_up),
    stale: whole(pacing.stale),
  });
}

function ofAbandoned({ abandoned, answered, ceiling }) {
  return t('tasks.abandoned', {
    abandoned: whole(abandoned),
    answered: whole(answered),
    share: share(abandoned / answered),
    ceiling: share(ceiling),
  });
}
