// Joins htmx to Jira's bridge: every request carries the token of the person who looks, problems are shown where they
// belong, questions are asked in a dialog (a frame of another origin has no window.confirm), and focus is kept.
const RETRY_HEADER = 'X-Token-Retry';
const TOKEN_PATIENCE_MS = 10000;
const TOKEN_RESERVE_MS = 30000; // a token is asked for anew this long before it runs out
const DIALOG_MARGIN_PX = 8;
const UNREACHABLE = 'The service does not answer. Check your connection, then try again.';

const { AP, htmx } = window;
const problemBox = document.getElementById('problem');
const noticeBox = document.getElementById('notice');
let token = '';

function askForToken() {
  return new Promise((resolve, reject) => {
    setTimeout(reject, TOKEN_PATIENCE_MS, new Error('Jira gave no token in time'));
    AP.context.getToken((fresh) => (fresh ? resolve(fresh) : reject(new Error('Jira gave no token'))));
  });
}

function isFresh() {
  if (token === '') return false;
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(atob(payload)).exp * 1000 - Date.now() > TOKEN_RESERVE_MS;
}

async function renewToken() {
  if (!isFresh()) token = await askForToken();
}

function show(box, text) {
  box.textContent = text;
  box.hidden = text === '';
}

function clearProblems(root) {
  show(problemBox, '');
  for (const place of root.querySelectorAll('[data-problem]')) place.textContent = '';
  for (const field of root.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
}

// "domains[2]" and "attributes.colour" belong to the fields "domains" and "attributes".
function placeOf(form, field) {
  const owner = field.split(/[.[]/, 1)[0];
  return form?.querySelector(`[data-problem="${CSS.escape(owner)}"]`);
}

function showProblem(problem, form) {
  const unplaced = [];
  for (const { field, problem: text } of problem.errors ?? []) {
    const place = placeOf(form, field);
    if (!place) {
      unplaced.push(`${field} ${text}`);
      continue;
    }
    place.textContent = [place.textContent, text].filter(Boolean).join('; ');
    form.querySelector(`[aria-describedby~="${place.id}"]`)?.setAttribute('aria-invalid', 'true');
  }
  const general = problem.errors ? unplaced.join('. ') : problem.detail;
  show(problemBox, [problem.title, general].filter(Boolean).join(': '));
  (form?.querySelector('[aria-invalid]') ?? problemBox).scrollIntoView({ block: 'nearest' });
  form?.querySelector('[aria-invalid]')?.focus();
}

function readProblem(xhr) {
  try {
    return JSON.parse(xhr.responseText);
  } catch {
    return { title: 'Something went wrong', detail: UNREACHABLE };
  }
}

// The frame is as tall as its content, so its middle may be out of sight: the dialog opens where the question arose.
function placeBeside(dialog, elt) {
  const lowest = window.innerHeight - dialog.offsetHeight - DIALOG_MARGIN_PX;
  const top = Math.min(elt.getBoundingClientRect().top, lowest);
  dialog.style.top = `${Math.max(top, DIALOG_MARGIN_PX)}px`;
}

function ask(question, elt) {
  const dialog = document.getElementById('confirm');
  document.getElementById('confirm-question').textContent = question;
  dialog.querySelector('[data-answer=yes]').textContent = elt.dataset.confirmAction ?? 'Continue';
  dialog.returnValue = '';
  dialog.showModal();
  placeBeside(dialog, elt);
  dialog.querySelector('[data-answer=no]').focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

document.getElementById('confirm').addEventListener('click', (event) => {
  const { answer } = event.target.dataset;
  if (answer) event.currentTarget.close(answer);
});

document.body.addEventListener('htmx:confirm', async (event) => {
  event.preventDefault();
  const { elt, etc, issueRequest, question } = event.detail;
  const isRetry = Boolean(etc.headers?.[RETRY_HEADER]);
  if (question && !isRetry && !(await ask(question, elt))) return;
  try {
    await renewToken();
  } catch {
    show(problemBox, UNREACHABLE);
    return;
  }
  issueRequest(true);
});

document.body.addEventListener('htmx:configRequest', ({ detail }) => {
  detail.headers.Authorization = `JWT ${token}`;
});

document.body.addEventListener('htmx:beforeRequest', ({ detail }) => {
  if (detail.target.id === 'main') show(noticeBox, '');
  clearProblems(detail.elt.closest('form') ?? document.body);
});

document.body.addEventListener('htmx:responseError', ({ detail }) => {
  const { requestConfig, target, xhr } = detail;
  const { elt, headers, path, verb } = requestConfig;
  if (xhr.status === 401 && !headers[RETRY_HEADER]) {
    token = '';
    htmx.ajax(verb, path, { headers: { [RETRY_HEADER]: '1' }, source: elt, target });
    return;
  }
  showProblem(readProblem(xhr), elt.closest('form'));
});

for (const failure of ['htmx:sendError', 'htmx:timeout']) {
  document.body.addEventListener(failure, () => show(problemBox, UNREACHABLE));
}

document.body.addEventListener('crm:notice', ({ detail }) => show(noticeBox, detail.value));

// What a swap brought in and marked is where reading goes on. (The browser refuses `autofocus` in a frame of another
// origin.)
document.body.addEventListener('htmx:load', ({ detail: { elt } }) => {
  if (elt === document.body) return;
  (elt.matches('[data-focus]') ? elt : elt.querySelector('[data-focus]'))?.focus();
});

document.body.addEventListener('click', ({ target }) => {
  const added = target.closest('[data-add-attribute]');
  if (added) {
    const template = document.getElementById('attribute-template');
    added.before(template.content.cloneNode(true));
    added.previousElementSibling.querySelector('input').focus();
  }
  const removed = target.closest('[data-remove-attribute]');
  if (removed) {
    removed.closest('.attribute').remove();
    document.querySelector('[data-add-attribute]').focus();
  }
});

if (!AP) show(problemBox, 'This page works inside Jira alone: open it from the Apps menu.');
