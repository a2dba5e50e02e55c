// Reads out what changes by itself. A live region that is swapped as a whole is a new one to the screen reader, which says
// nothing of it; so what is marked with `data-announce` is repeated in one that stays.
const SPOKEN_MS = 5000;
const box = document.getElementById('announcement');
let said = read();
let silence;

function read() {
  const marked = document.querySelectorAll('[data-announce]');
  return Array.from(marked, ({ textContent }) => textContent.trim().replaceAll(/\s+/g, ' ')).join('. ');
}

document.body.addEventListener('htmx:afterSettle', () => {
  const words = read();
  if (words === said) return;
  said = words;
  box.textContent = words;
  // Who reads on through the page must not meet it twice.
  clearTimeout(silence);
  silence = setTimeout(() => { box.textContent = ''; }, SPOKEN_MS);
});
