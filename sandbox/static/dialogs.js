// Draws the dialogs that an add-on opens with AP.dialog: one of its modules in a frame over the page, with buttons.
//
// The page holds at most one open dialog, as Jira does: opening a second replaces the first. The native <dialog>
// element keeps the focus inside and gives it back. The bridge itself enables the submit button once the frame answers,
// and closes on Escape pressed inside the frame.
import { framework } from './framework.js';

const FRAME_SIZES = { small: '400px', medium: '600px', large: '800px', xlarge: '968px', 'x-large': '968px', maximum: '100%' };

let active = null; // { extension, options, node, isAnswering, buttons: Map<identifier, HTMLButtonElement> }

function closeActive() {
  if (!active) return;
  const { node, options } = active;
  active = null;
  node.close();
  node.remove();
  options.onHide();
}

// Closing by the keyboard tells the add-on, as closing from inside the frame does.
function closeByKeyboard() {
  if (active?.options.closeOnEscape) window.connectHost.dialog.close(active.extension.addon_key);
}

function addButton({ identifier, text, type, hidden, disabled, onClick }) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = type === 'primary' ? 'button button-primary' : 'button';
  made.dataset.identifier = identifier;
  made.textContent = text;
  made.hidden = Boolean(hidden);
  made.disabled = Boolean(disabled);
  // A frame that never came up cannot answer its buttons; cancelling must still work.
  made.addEventListener('click', () => (identifier === 'cancel' && !active.isAnswering ? closeActive() : onClick()));
  active.node.querySelector('.dialog-buttons')?.insertBefore(made, active.buttons.get('cancel') ?? null); // cancel is last
  active.buttons.set(identifier, made);
}

function drawDialog(options, extension) {
  const node = document.createElement('dialog');
  node.className = options.chrome ? 'dialog' : 'dialog dialog-bare';
  node.style.width = FRAME_SIZES[options.size] ?? options.width ?? '50%';
  node.addEventListener('cancel', (event) => {
    event.preventDefault();
    closeByKeyboard();
  });
  const frame = window.connectHost.create({
    addon_key: extension.addon_key,
    key: extension.key,
    options: { ...extension.options, callbackExtensionId: extension.callback_extension_id, dialogId: options.id, isDialog: true },
  })[0];
  frame.classList.add('dialog-frame');
  frame.style.height = options.size === 'maximum' ? '90vh' : options.height ?? '50vh';
  if (options.chrome) {
    const title = document.createElement('h2');
    title.textContent = options.header;
    title.id = 'dialog-title';
    node.setAttribute('aria-labelledby', title.id);
    const footer = document.createElement('footer');
    const hint = document.createElement('span');
    hint.className = 'dialog-hint';
    hint.textContent = options.hint;
    const buttons = document.createElement('div');
    buttons.className = 'dialog-buttons';
    footer.append(hint, buttons);
    node.append(title, frame, footer);
  } else {
    node.setAttribute('aria-label', options.header || extension.key);
    node.append(frame);
  }
  return node;
}

function isActiveFrame(extensionId) {
  return active?.node.querySelector('iframe')?.id === extensionId;
}

const dialogProvider = {
  close: closeActive,
  create(options, extension) {
    closeActive();
    const node = drawDialog(options, extension);
    active = { buttons: new Map(), extension, isAnswering: false, node, options };
    options.actions.forEach(addButton);
    document.body.append(node);
    node.showModal();
  },
  createButton: (options) => addButton(options),
  isActiveDialog: (addonKey) => active?.extension.addon_key === addonKey,
  isButtonDisabled: (identifier) => active?.buttons.get(identifier)?.disabled ?? true,
  isButtonHidden: (identifier) => active?.buttons.get(identifier)?.hidden ?? true,
  setButtonDisabled(identifier, disabled) {
    const button = active?.buttons.get(identifier);
    if (button) button.disabled = disabled;
  },
  setButtonHidden(identifier, hidden) {
    const button = active?.buttons.get(identifier);
    if (button) button.hidden = hidden;
  },
  toggleButton(identifier) {
    const button = active?.buttons.get(identifier);
    if (button) button.disabled = !button.disabled;
  },
};

// Whether the dialog's frame ever answered decides who handles its buttons.
export function watchDialogs(connectHost) {
  connectHost.onIframeEstablished(({ extension }) => {
    if (isActiveFrame(extension.id)) active.isAnswering = true;
  });
}

export const dialogModule = framework('dialog', dialogProvider);
