// The buttons of the People page. Each carries one change to the site's control API and shows the page anew.
const status = document.getElementById('people-status');

async function change(method, accountId, body) {
  const path = accountId === null ? '/sandbox/people' : `/sandbox/people/${encodeURIComponent(accountId)}`;
  const init = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  const response = await fetch(path, init);
  if (response.ok) {
    window.location.reload();
  } else {
    status.textContent = (await response.json()).error;
  }
}

function readFields(form) {
  const fields = new FormData(form);
  return { displayName: fields.get('displayName'), email: fields.get('email') || null };
}

function accountOf(button) {
  return button.closest('[data-account-id]').dataset;
}

const addDialog = document.getElementById('add-dialog');
const editDialog = document.getElementById('edit-dialog');
let edited = null; // the account id that the edit dialog is about

addDialog.addEventListener('close', () => {
  if (addDialog.returnValue !== 'save') return;
  const form = addDialog.querySelector('form');
  const { accountType, emailVisible } = form.elements;
  change('POST', null, { ...readFields(form), accountType: accountType.value, emailVisible: emailVisible.checked });
});

editDialog.addEventListener('close', () => {
  if (editDialog.returnValue !== 'save') return;
  const form = editDialog.querySelector('form');
  change('PATCH', edited, { ...readFields(form), emailVisible: form.elements.emailVisible.checked });
});

function openDialog(dialog) {
  dialog.returnValue = ''; // Escape leaves the value of the time before
  dialog.showModal();
}

function openEdit(account) {
  const { displayName, email, emailVisible } = editDialog.querySelector('form').elements;
  edited = account.accountId;
  displayName.value = account.name;
  email.value = account.email;
  emailVisible.checked = account.emailVisible === 'true';
  openDialog(editDialog);
}

const ACTIONS = {
  activate: ({ accountId }) => change('PATCH', accountId, { active: true }),
  add: () => openDialog(addDialog),
  close: ({ accountId }) => change('PATCH', accountId, { closed: true }),
  deactivate: ({ accountId }) => change('PATCH', accountId, { active: false }),
  delete: ({ accountId }) => change('DELETE', accountId),
  edit: openEdit,
};

document.querySelector('main').addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (button) ACTIONS[button.dataset.action](button.dataset.action === 'add' ? {} : accountOf(button));
});
