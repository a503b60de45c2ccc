/* The colours: the system's, or those that were chosen here. */

import { byId, remember, remembered } from './dom.js';

/** Connect the selection of the theme. */
export function startTheme() {
  const choice = byId('theme');
  const theme = remembered('theme');
  choice.value = theme === 'dark' || theme === 'light' ? theme : 'auto';
  choice.addEventListener('change', () => {
    const chosen = choice.value === 'auto' ? null : choice.value;
    remember('theme', chosen);
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  });
}
