// The rows of "More attributes" in a contact's form: one more, or one less.
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
