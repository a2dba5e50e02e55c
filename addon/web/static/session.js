// The token of the person who looks: Atlassian's bridge gives it, and every call to /api carries it. There is no cookie.
const PATIENCE_MS = 10000;
const RESERVE_MS = 30000; // a token is asked for anew this long before it runs out
const UNAUTHORIZED = 401;

const { AP } = window;
let token = '';

function askForToken() {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS, new Error('Jira gave no token in time'));
    AP.context.getToken((fresh) => (fresh ? resolve(fresh) : reject(new Error('Jira gave no token'))));
  });
}

function isFresh() {
  if (token === '') return false;
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(atob(payload)).exp * 1000 - Date.now() > RESERVE_MS;
}

// Has a token that will do for the next call; rejects when Jira gives none.
export async function renew() {
  if (!isFresh()) token = await askForToken();
}

// The service did not take the token: by its clock it ran out, or the site has another secret now.
export function forget() {
  token = '';
}

export function authorization() {
  return `JWT ${token}`;
}

// `fetch` with the token, and once more with a new one when the first is refused.
export async function fetchSigned(address, init = {}) {
  async function send() {
    await renew();
    return fetch(address, { ...init, headers: { ...init.headers, Authorization: authorization() } });
  }

  const answer = await send();
  if (answer.status !== UNAUTHORIZED) return answer;
  forget();
  return send();
}
