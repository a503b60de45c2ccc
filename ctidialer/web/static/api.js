/* Talks JSON with the daemon that served this page.  Addresses are relative, so that the page also
   works below a path of a reverse proxy. */

/** The daemon answered with an error, or (status 0) not at all; the message is for people. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Return what stands at a path; values that are empty or null are left out of the query. */
export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== '');
  const text = new URLSearchParams(given).toString();
  return ask(text ? `${path}?${text}` : path, {});
}

/** Order something.  The header tells the daemon that no foreign page has made this request. */
export function order(path, body = {}, method = 'POST') {
  const headers = { 'Content-Type': 'application/json', 'X-Requested-With': 'ctidialer' };
  return ask(path, { method, headers, body: JSON.stringify(body) });
}

/** Take an order back. */
export const remove = (path, body) => order(path, body, 'DELETE');

/** The session is over, or was ended: the same address shows the login page then. */
export function toLogin() {
  location.reload();
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, cache: 'no-store', credentials: 'same-origin' });
  } catch (error) {
    throw new Refused(0, error.message);
  }
  if (answer.status === 401) toLogin();
  const document = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new Refused(answer.status, document?.error?.message ?? `HTTP ${answer.status}`);
  }
  return document;
}
