// Lists the other open issues of the reporter's company. The bridge asks Jira for them as the person who looks, so that
// nobody sees more than they may, and it costs the app nothing.
const SHOWN = 5;
const SEARCH = '/rest/api/3/search/jql';

// One of the section's states is there to see: waiting, none, some, failed.
function show(section, state) {
  for (const part of section.querySelectorAll('[data-shown]')) part.hidden = part.dataset.shown !== state;
}

async function ask(jql) {
  const parameters = new URLSearchParams({ jql, fields: 'summary', maxResults: SHOWN });
  const { body } = await window.AP.request(`${SEARCH}?${parameters}`);
  return JSON.parse(body).issues;
}

// A link of Jira's own, so that it opens in a new tab, too; the summary stays text whatever it holds.
function line({ key, fields }, site) {
  const link = document.createElement('a');
  link.href = `${site}/browse/${encodeURIComponent(key)}`;
  link.target = '_top';
  link.textContent = key;
  const summary = document.createElement('bdi');
  summary.textContent = fields.summary;
  const item = document.createElement('li');
  item.append(link, ' ', summary);
  return item;
}

async function list(section) {
  show(section, 'waiting');
  try {
    const issues = await ask(section.dataset.jql);
    const lines = issues.slice(0, SHOWN).map((issue) => line(issue, section.dataset.site));
    section.querySelector('[data-shown=some]').replaceChildren(...lines);
    show(section, lines.length > 0 ? 'some' : 'none');
  } catch (error) {
    console.warn('Jira did not list the issues:', error);
    show(section, 'failed');
  }
}

document.body.addEventListener('click', ({ target }) => {
  if (!target.closest('[data-again]')) return;
  const section = target.closest('[data-others]');
  // The button is about to be hidden, and would take the focus with it.
  section.querySelector('h2').focus();
  list(section);
});

// At first htmx says this of the whole body, perhaps before this script runs: what is there then is listed below.
document.body.addEventListener('htmx:load', ({ detail: { elt } }) => {
  if (elt !== document.body) elt.querySelectorAll('[data-others]').forEach(list);
});
document.querySelectorAll('[data-others]').forEach(list);
