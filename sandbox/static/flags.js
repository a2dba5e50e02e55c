// Draws what AP.flag and AP.messages ask for: short notices of an add-on, read out to screen readers as they appear.
//
// The bridge takes drawing over to a "framework module" of the product; these two are the site's. Everything that comes
// from an add-on is set as text, never as markup.
import { framework } from './framework.js';

const AUTO_CLOSE_MS = 8000; // long enough to read two lines
const ICONS = { error: '!', info: 'i', success: '✓', warning: '!' };

function element(tag, className, text = '') {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function button(className, text, onClick) {
  const made = element('button', className, text);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

function notice(kind, title, body) {
  const box = element('div', `notice notice-${kind}`);
  const icon = element('span', 'notice-icon', ICONS[kind] ?? ICONS.info);
  icon.setAttribute('aria-hidden', 'true');
  const text = element('div', 'notice-text');
  text.append(element('strong', 'notice-title', title ?? ''), element('p', 'notice-body', body ?? ''));
  box.append(icon, text);
  return { box, text };
}

function createFlag({ id, title, body, type, actions, close, onClose }) {
  const { box, text } = notice(type, title, body);
  box.dataset.flag = id;
  const flag = {
    close() {
      if (!box.isConnected) return;
      box.remove();
      onClose(id);
    },
  };
  if (actions.length > 0) {
    const row = element('div', 'notice-actions');
    row.append(...actions.map(({ actionText, executeAction }) => button('link-button', actionText, executeAction)));
    text.append(row);
  }
  const dismiss = button('icon-button', '×', flag.close);
  dismiss.setAttribute('aria-label', 'Dismiss');
  box.append(dismiss);
  document.getElementById('flags').append(box);
  if (close === 'auto') window.setTimeout(flag.close, AUTO_CLOSE_MS);
  return flag;
}

const messages = new Map(); // id -> { box, onClose }

function clearMessage(id) {
  const message = messages.get(id);
  if (!message) return;
  messages.delete(id);
  message.box.remove();
  message.onClose?.();
}

function createMessage(kind) {
  return (title, body, { id, closeable = true, delay = AUTO_CLOSE_MS, fadeout = false }) => {
    const { box } = notice(kind, title, body);
    if (closeable !== false) {
      const dismiss = button('icon-button', '×', () => clearMessage(id));
      dismiss.setAttribute('aria-label', 'Dismiss');
      box.append(dismiss);
    }
    messages.set(id, { box });
    document.getElementById('messages').append(box);
    if (fadeout) window.setTimeout(clearMessage, delay, id);
  };
}

export const flagModule = framework('flag', { create: createFlag });

export const messagesModule = framework('messages', {
  clear: clearMessage,
  error: createMessage('error'),
  generic: createMessage('info'),
  hint: createMessage('info'),
  info: createMessage('info'),
  onClose(id, callback) {
    const message = messages.get(id);
    if (message) message.onClose = callback;
  },
  success: createMessage('success'),
  warning: createMessage('warning'),
});
