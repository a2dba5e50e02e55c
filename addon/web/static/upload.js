// Says at once that a chosen file is too large, instead of after it was sent.
document.body.addEventListener('change', ({ target }) => {
  const { maxBytes, tooLarge } = target.dataset;
  if (!maxBytes) return;
  const isTooLarge = [...target.files].some(({ size }) => size > Number(maxBytes));
  if (isTooLarge) target.value = '';
  target.setAttribute('aria-invalid', isTooLarge);
  const place = target.form.querySelector(`[data-problem="${CSS.escape(target.name)}"]`);
  place.textContent = isTooLarge ? tooLarge : '';
});
