// Finds a person while one types: the choices under the field follow, and who was chosen stays in reach.
const PAUSE_MS = 200; // between a letter and the search for it

function choice(name, { accountId, displayName, detail }) {
  const label = document.createElement('label');
  label.className = 'check';
  const radio = Object.assign(document.createElement('input'), { type: 'radio', name, value: accountId });
  const person = Object.assign(document.createElement('bdi'), { textContent: displayName });
  const note = Object.assign(document.createElement('span'), { className: 'subtle', textContent: detail });
  const text = document.createElement('span');
  text.append(person, ' ', note);
  label.append(radio, ' ', text);
  return label;
}

export function searchPeople(box) {
  const input = box.querySelector('input[type=search]');
  const status = box.querySelector('[role=status]');
  const choices = box.querySelector('.choices');
  const { name } = choices.querySelector('input');
  let latest = 0; // answers of older searches are dropped
  let timer;

  async function search() {
    const mine = ++latest;
    const text = input.value.trim();
    const response = await fetch(`/issues/people?${new URLSearchParams({ text })}`);
    const { people, total } = await response.json();
    if (mine !== latest) return;
    const kept = [...choices.querySelectorAll('label')].filter((label) => {
      const { checked, value } = label.querySelector('input');
      return checked || value === '';
    });
    const keptIds = new Set(kept.map((label) => label.querySelector('input').value));
    const found = people.filter(({ accountId }) => !keptIds.has(accountId));
    choices.replaceChildren(choices.querySelector('legend'), ...kept, ...found.map((each) => choice(name, each)));
    status.textContent = total > people.length ? `The first ${people.length} of ${total} people` : `${total} found`;
  }

  input.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(search, PAUSE_MS);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault(); // it searches; it does not send the form
    window.clearTimeout(timer);
    search();
  });
}
