/* Makes and changes elements.  Names of tasks, numbers and reasons come from other systems and may
   be hostile: text is only ever set as text here, and there is no way to hand over markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** The element with this id; the page is ours, so it is there. */
export const byId = (id) => document.getElementById(id);

/** Make an HTML element; a child is an element or a text, null is left out. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  node.append(...children.filter((child) => child != null));
  return node;
}

/** Set a text, unless it stands there already: screen readers announce what is written anew. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set an attribute (null takes it away), unless it has this value already. */
export function setAttribute(node, name, value) {
  if (value == null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Make a choice of one among buttons, as `data-value` says; returns what shows the chosen one. */
export function choice(place, chosen) {
  const buttons = [...place.querySelectorAll('button[data-value]')];
  for (const button of buttons) {
    button.addEventListener('click', () => chosen(button.dataset.value));
  }
  return (value) => {
    for (const button of buttons) {
      setAttribute(button, 'aria-pressed', String(button.dataset.value === value));
    }
  };
}

/** A value that was remembered in this browser; where storage is forbidden, nothing is. */
export function remembered(name) {
  try {
    return localStorage.getItem(`ctidialer.${name}`);
  } catch {
    return null;
  }
}

/** Remember a value in this browser; null forgets it. */
export function remember(name, value) {
  try {
    if (value == null) localStorage.removeItem(`ctidialer.${name}`);
    else localStorage.setItem(`ctidialer.${name}`, value);
  } catch {
    // It works all the same; only the next visit begins with the defaults again.
  }
}
