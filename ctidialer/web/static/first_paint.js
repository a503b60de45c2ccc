/* Sets the chosen theme before anything is painted: a module would run after the first flash of the
   wrong one.  This is why it is no module, and why it stands in the head. */
(() => {
  try {
    const theme = localStorage.getItem('ctidialer.theme');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is forbidden: the system's theme it is.
  }
})();
