// Joins htmx to Jira's bridge: every request carries the token of the person who looks, questions are asked before it
// goes out, what fails is shown and can be repeated, and the focus is kept.
import './announce.js';
import './attributes.js';
import './download.js';
import './time.js';
import './upload.js';
import * as problems from './problems.js';
import * as session from './session.js';
import { ask } from './question.js';
import { text } from './texts.js';

const RETRY_HEADER = 'X-Token-Retry';
const { AP, htmx } = window;

// Asks once more for what a failed request was to bring. What was to change something is the person's to repeat.
function retryOf({ elt, path, verb }, target) {
  if (verb !== 'get') return null;
  return (event) => htmx.ajax(verb, path, { event, source: elt, target });
}

// Polls have no event, and what one part of the page tells another is no deed of a person.
function isByPerson({ triggeringEvent }) {
  return Boolean(triggeringEvent?.isTrusted);
}

document.body.addEventListener('htmx:confirm', async (event) => {
  event.preventDefault();
  const { elt, etc, issueRequest, path, question, target, verb } = event.detail;
  const isRetry = Boolean(etc.headers?.[RETRY_HEADER]);
  if (question && !isRetry && !(await ask(question, elt))) return;
  try {
    await session.renew();
  } catch {
    problems.showGeneral(text('unreachable'), { cause: elt, retry: retryOf({ elt, path, verb }, target) });
    return;
  }
  issueRequest(true);
});

document.body.addEventListener('htmx:configRequest', ({ detail }) => {
  detail.headers.Authorization = session.authorization();
});

document.body.addEventListener('htmx:beforeRequest', ({ detail: { elt, requestConfig, target } }) => {
  target.setAttribute('aria-busy', 'true');
  if (target.id === 'main') problems.showNotice('');
  problems.clear(elt.closest('form') ?? document.body, { cause: elt, isByPerson: isByPerson(requestConfig) });
});

document.body.addEventListener('htmx:afterRequest', ({ detail: { target } }) => target.removeAttribute('aria-busy'));

document.body.addEventListener('htmx:responseError', ({ detail: { requestConfig, target, xhr } }) => {
  const { elt, headers, path, verb } = requestConfig;
  if (xhr.status === 401 && !headers[RETRY_HEADER]) {
    session.forget();
    htmx.ajax(verb, path, { headers: { [RETRY_HEADER]: '1' }, source: elt, target });
    return;
  }
  const retry = problems.isPassing(xhr.status) ? retryOf(requestConfig, target) : null;
  problems.show(problems.read(xhr.responseText), { form: elt.closest('form'), cause: elt, retry });
});

for (const failure of ['htmx:sendError', 'htmx:timeout']) {
  document.body.addEventListener(failure, ({ detail: { requestConfig, target } }) => {
    problems.showGeneral(text('unreachable'), { cause: requestConfig.elt, retry: retryOf(requestConfig, target) });
  });
}

document.body.addEventListener('crm:notice', ({ detail }) => problems.showNotice(detail.value));

// What a swap brought in and marked is where reading goes on. (The browser refuses `autofocus` in a frame of another
// origin.)
document.body.addEventListener('htmx:load', ({ detail: { elt } }) => {
  if (elt === document.body) return;
  (elt.matches('[data-focus]') ? elt : elt.querySelector('[data-focus]'))?.focus();
});

if (!AP) problems.showGeneral(text('outside'));
