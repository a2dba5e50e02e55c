// Asks before what cannot be taken back: a frame of another origin has no window.confirm.
import { text } from './texts.js';

const MARGIN_PX = 8;
const dialog = document.getElementById('confirm');

// The frame is as tall as its content, so its middle may be out of sight: the dialog opens where the question arose.
function placeBeside(elt) {
  const lowest = window.innerHeight - dialog.offsetHeight - MARGIN_PX;
  const top = Math.min(elt.getBoundingClientRect().top, lowest);
  dialog.style.top = `${Math.max(top, MARGIN_PX)}px`;
}

// Whether the person says yes. `elt` asks, and says with `data-confirm-action` what yes is called.
export function ask(question, elt) {
  document.getElementById('confirm-question').textContent = question;
  dialog.querySelector('[data-answer=yes]').textContent = elt.dataset.confirmAction ?? text('continue');
  dialog.returnValue = '';
  dialog.showModal();
  placeBeside(elt);
  dialog.querySelector('[data-answer=no]').focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

dialog.addEventListener('click', (event) => {
  const { answer } = event.target.dataset;
  if (answer) dialog.close(answer);
});
