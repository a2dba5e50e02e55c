// The dialogs of the issue pages: buttons open and close them; their forms are sent as forms are.
import { searchPeople } from './people-search.js';
import { REFRESHED } from './refresh.js';

const searching = new WeakSet(); // the boxes that follow what is typed in them

function followBoxes() {
  for (const box of document.querySelectorAll('[data-person-search]')) {
    if (searching.has(box)) continue;
    searching.add(box);
    searchPeople(box);
  }
}

document.querySelector('main').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.dialog) document.getElementById(button.dataset.dialog).showModal();
  else if (button && 'close' in button.dataset) button.closest('dialog').close();
});

document.addEventListener(REFRESHED, followBoxes);
followBoxes();
