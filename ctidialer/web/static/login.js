/* The login page: hands the token in for a session.  It carries its own few words, because nothing
   else is served to those who have not signed in. */
(() => {
  const WORDS = {
    en: {
      hint: 'Sign in with the token of this daemon, which stands in its settings.',
      token: 'Token',
      sign_in: 'Sign in',
      wrong: 'This is not the token.',
      too_many: 'Too many tries. Wait a minute, then try again.',
      away: 'The daemon does not answer. Try again in a moment.',
    },
    zh: {
      hint: '请用守护进程设置中的令牌登录。',
      token: '令牌',
      sign_in: '登录',
      wrong: '令牌不正确。',
      too_many: '尝试次数过多，请稍等一分钟再试。',
      away: '守护进程没有响应，请稍后再试。',
    },
  };
  const [form, token, problem, choice] = ['login', 'token', 'problem', 'language']
    .map((id) => document.getElementById(id));
  let trouble = '';

  // The same memory as the dashboard's; a browser may forbid it.
  function memory(use) {
    try {
      return use(localStorage);
    } catch {
      return null;
    }
  }

  function render() {
    const words = WORDS[choice.value];
    document.documentElement.lang = choice.value === 'zh' ? 'zh-CN' : 'en';
    for (const node of document.querySelectorAll('[data-t]')) {
      node.textContent = words[node.dataset.t];
    }
    problem.textContent = trouble ? words[trouble] : '';
  }

  function troubleOf(status) {
    if (status === 401) return 'wrong';
    return status === 429 ? 'too_many' : 'away';
  }

  async function signIn() {
    try {
      const answer = await fetch('login', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'ctidialer' },
        body: JSON.stringify({ token: token.value }),
      });
      trouble = answer.ok ? '' : troubleOf(answer.status);
    } catch {
      trouble = 'away';
    }
    if (!trouble) location.reload();
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    await signIn();
    button.disabled = false;
    render();
    if (trouble) token.select();
  });

  choice.addEventListener('change', () => {
    memory((storage) => storage.setItem('ctidialer.language', choice.value));
    render();
  });

  const theme = memory((storage) => storage.getItem('ctidialer.theme'));
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  const preferred = navigator.language?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  const chosen = memory((storage) => storage.getItem('ctidialer.language'));
  choice.value = chosen in WORDS ? chosen : preferred;
  render();
})();
