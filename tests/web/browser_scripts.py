"""What is asked of a page in its own language: contrasts, structure, long tasks."""

from __future__ import annotations

CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const known = new Map();  // reading a pixel is slow, and most texts share their colours
  const over = (colours) => {
    const key = colours.join();
    if (!known.has(key)) known.set(key, mixed(colours));
    return known.get(key);
  };
  const mixed = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const grounds = (node) => (node
    ? [...grounds(node.parentElement), getComputedStyle(node).backgroundColor] : ['white']);
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: parent, textContent } = walker.currentNode;
    const text = textContent.trim();
    const shown = parent.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    if (!text || !shown || parent.disabled) continue;
    const style = getComputedStyle(parent);
    const colour = parent instanceof SVGElement ? style.fill : style.color;
    const below = grounds(parent);
    const [a, b] = [light(over(below)), light(over([...below, colour]))];
    found.push([text, Math.max(a, b) / Math.min(a, b)]);
  }
  return found;
}"""

FAULTS_OF_STRUCTURE = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const visible = (node) => node.checkVisibility();
  const faults = [];
  const ids = all('[id]').map((node) => node.id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  faults.push(...twice.map((id) => `id ${id} twice`));
  for (const node of all('button, input, select, [role=slider], table').filter(visible)) {
    const by = node.getAttribute('aria-labelledby');
    const name = node.getAttribute('aria-label') || (by && document.getElementById(by)?.textContent)
      || node.labels?.[0]?.textContent || (node.tagName === 'BUTTON' && node.textContent.trim())
      || (node.closest('.scroll') && node.querySelector('th'));
    if (!name) faults.push(`no name: ${node.outerHTML.slice(0, 100)}`);
  }
  for (const node of all('[aria-labelledby], [aria-describedby]')) {
    const by = node.getAttribute('aria-labelledby') ?? node.getAttribute('aria-describedby');
    if (!document.getElementById(by)) faults.push(`no ${by}`);
  }
  for (const node of all('[aria-expanded=true]')) {
    if (!document.getElementById(node.getAttribute('aria-controls'))) faults.push('opens nothing');
  }
  for (const [selector, count] of [['h1', 1], ['header', 1], ['main', 1], ['footer', 1]]) {
    if (all(selector).length !== count) faults.push(`${all(selector).length} ${selector}`);
  }
  for (const node of all('table[role=table] > tbody > tr')) {
    if (node.getAttribute('role') !== 'row') faults.push('a row without a role');
    for (const cell of node.children) {
      if (cell.getAttribute('role') !== 'cell') faults.push('a cell without a role');
    }
  }
  const levels = all('h1, h2, h3, h4, h5').filter(visible).map((node) => Number(node.tagName[1]));
  levels.forEach((level, index) => {
    const above = levels[index - 1];
    if (index && level > above + 1) faults.push(`h${level} below h${above}`);
  });
  if (all('[tabindex]').some((node) => node.tabIndex > 0)) faults.push('a tabindex above 0');
  if (!document.documentElement.lang) faults.push('no language');
  return faults;
}"""

LONG_TASKS = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  }).observe({ type: 'longtask', buffered: true });
}"""

TOO_WIDE = """() => {
  // What scrolls by itself may be wide, and what only screen readers meet has no width.
  const apart = '.scroll, svg, #lines > thead, #records > thead, #results > thead';
  return [...document.querySelectorAll('body *')].filter((node) => !node.closest(apart)
    && node.checkVisibility() && getComputedStyle(node).clipPath === 'none'
    && node.getBoundingClientRect().right > screen.width + 0.5)
    .map((node) => node.outerHTML.slice(0, 120));
}"""

TOO_SMALL = """() => [...document.querySelectorAll('button, input, select')].filter((node) =>
  node.checkVisibility() && node.getBoundingClientRect().height < 24)
  .map((node) => node.outerHTML)"""
