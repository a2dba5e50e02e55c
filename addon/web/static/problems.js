// Shows what went wrong where it belongs: beside its field, or on top of the page, with a way to try again.
import { text } from './texts.js';

const HTTP_TOO_MANY = 429;
const HTTP_OUR_FAILURE = 500;
const HTTP_UNAUTHORIZED = 401;

const problemBox = document.getElementById('problem');
const problemText = document.getElementById('problem-text');
const retryButton = document.getElementById('problem-retry');
const noticeBox = document.getElementById('notice');
let shown = null; // { cause, retry }: what asked for the request that failed, and what asks again

// The same text again would be read out again.
function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

// `cause` is the element whose request failed; `retry` repeats it, where that is of use.
export function showGeneral(words, { cause = null, retry = null } = {}) {
  shown = { cause, retry };
  problemBox.hidden = false;
  say(problemText, words);
  retryButton.hidden = retry === null;
}

export function showNotice(words) {
  say(noticeBox, words);
  noticeBox.hidden = words === '';
}

function hideGeneral() {
  // The button goes away under the focus, which must not fall out of the page.
  if (document.activeElement === retryButton) document.querySelector('#main [data-focus]')?.focus();
  shown = null;
  problemBox.hidden = true;
  problemText.textContent = '';
}

// What a person does next ends every problem; what the page asks by itself ends its own alone.
export function clear(root, { cause, isByPerson }) {
  if (isByPerson || shown?.cause === cause) hideGeneral();
  if (!isByPerson) return;
  for (const place of root.querySelectorAll('[data-problem]')) place.textContent = '';
  for (const field of root.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
}

// "domains[2]" and "attributes.colour" belong to the fields "domains" and "attributes".
function placeOf(form, field) {
  const owner = field.split(/[.[]/, 1)[0];
  return form?.querySelector(`[data-problem="${CSS.escape(owner)}"]`);
}

// What the field is called on the page, without what else stands in its label, such as "(required)".
function nameOf(input, place) {
  const name = input?.labels?.[0] ?? place.closest('fieldset')?.querySelector('legend');
  const words = Array.from(name?.childNodes ?? []).filter((node) => node.nodeType === Node.TEXT_NODE);
  return words.map((node) => node.data).join('').trim();
}

export function show(problem, { form, cause, retry }) {
  const unplaced = [];
  for (const { field, problem: words } of problem.errors ?? []) {
    const place = placeOf(form, field);
    if (!place) {
      unplaced.push(text('problem', { field, problem: words }));
      continue;
    }
    const input = form.querySelector(`[aria-describedby~="${place.id}"]`);
    input?.setAttribute('aria-invalid', 'true');
    const sentence = text('problem', { field: nameOf(input, place) || field, problem: words });
    place.textContent = [place.textContent, sentence].filter(Boolean).join('; ');
  }
  const general = problem.errors ? unplaced.join('. ') : problem.detail;
  showGeneral([problem.title, general].filter(Boolean).join(': '), { cause, retry });
  const wrong = form?.querySelector('[aria-invalid]');
  (wrong ?? problemBox).scrollIntoView({ block: 'nearest' });
  wrong?.focus();
}

export function read(body) {
  try {
    return JSON.parse(body);
  } catch {
    return { title: text('failed'), detail: text('unreachable') };
  }
}

// Whether the same request may do better the next time.
export function isPassing(status) {
  return status === HTTP_UNAUTHORIZED || status === HTTP_TOO_MANY || status >= HTTP_OUR_FAILURE;
}

retryButton.addEventListener('click', (event) => {
  const { cause, retry } = shown;
  // What asked may have gone from the page since, and its question with it.
  if (cause.isConnected) retry(event);
  else hideGeneral();
});
