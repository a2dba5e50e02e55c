// Saves a sheet (CSV): a link could not carry the token, so it is fetched and handed to the browser as a file.
//
// `data-download` is the address, `data-filename` the file's name, `data-form` the id of a form whose fields narrow it down.
import * as problems from './problems.js';
import * as session from './session.js';
import { text } from './texts.js';

function addressOf({ dataset }) {
  const form = dataset.form ? document.getElementById(dataset.form) : null;
  if (!form) return dataset.download;
  const fields = [...new FormData(form)].filter(([, value]) => value !== '');
  return `${dataset.download}?${new URLSearchParams(fields)}`;
}

function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has opened the address by the next turn, and keeps what it opened.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}

async function download(button) {
  const retry = () => download(button);
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    const answer = await session.fetchSigned(addressOf(button), { headers: { Accept: 'text/csv' } });
    if (answer.ok) save(await answer.blob(), button.dataset.filename);
    else {
      const again = problems.isPassing(answer.status) ? retry : null;
      problems.show(problems.read(await answer.text()), { form: null, cause: button, retry: again });
    }
  } catch {
    problems.showGeneral(text('unreachable'), { cause: button, retry });
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
    button.focus();
  }
}

document.body.addEventListener('click', ({ target }) => {
  const button = target.closest('[data-download]');
  if (!button) return;
  problems.clear(document.body, { cause: button, isByPerson: true });
  download(button);
});
