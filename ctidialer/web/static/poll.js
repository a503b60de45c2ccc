/* Asks again and again for what the stream does not tell. */

const PERIOD = 3000;
const TYPING = 250;

/** Ask for something every few seconds; returns what asks at once.  `load` returns a promise, `show`
 *  gets what it promised, `failed` the error.  An answer that a later question has overtaken is
 *  dropped: it would show what nobody looks for any more. */
export function poll(load, show, failed) {
  let turn = 0;
  let timer = 0;
  async function ask() {
    clearTimeout(timer);
    const mine = ++turn;
    try {
      // Nobody looks at a hidden tab: the daemon has calls to make.
      const found = document.hidden ? null : await load();
      if (mine === turn && found) show(found);
    } catch (error) {
      if (mine === turn) failed(error);
    }
    if (mine === turn) timer = setTimeout(ask, PERIOD);
  }
  document.addEventListener('visibilitychange', () => document.hidden || ask());
  return ask;
}

/** Call back when a form of filters changed; while somebody types, a moment later. */
export function onFilter(form, changed) {
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(changed, TYPING);
  };
  form.addEventListener('input', soon);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    soon();
  });
}
