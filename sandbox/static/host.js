// Embeds modules of add-ons in this page, with Atlassian's own bridge, and offers them what Jira offers.
//
// The page says what to embed in <script type="application/json" id="host-data">; modules.js answers the add-on's
// calls, flags.js and dialogs.js draw what it asks the page to draw.
import { contentResolver, defineModules } from './modules.js';
import { dialogModule, watchDialogs } from './dialogs.js';
import { flagModule, messagesModule } from './flags.js';
import { showPanels } from './panels.js';

const { connectHost } = window;
const host = JSON.parse(document.getElementById('host-data').textContent);

function embed({ addonKey, moduleKey, title, url, isFullPage }, target) {
  const extension = {
    addon_key: addonKey,
    key: moduleKey,
    url,
    options: { autoresize: true, hostOrigin: window.location.origin, isFullPage, origin: new URL(url).origin },
  };
  target.replaceChildren(connectHost.create(extension)[0]);
  target.querySelector('iframe').title = title;
}

for (const module of [flagModule, messagesModule, dialogModule]) {
  connectHost.getFrameworkAdaptor().registerModule(module);
}
defineModules(connectHost, host);
connectHost.registerContentResolver.resolveByExtension(contentResolver(host));
watchDialogs(connectHost);
connectHost.onIframeEstablished(({ extension }) => {
  const frame = document.getElementById(extension.id);
  if (!frame) return;
  frame.title ||= extension.key; // a dialog's frame is made by the bridge, without a name
  frame.dataset.bridge = 'established';
});
showPanels(document.querySelectorAll('details[data-frame]'), (number, target) => embed(host.frames[number], target));
const page = document.getElementById('module');
if (page) embed(host.frames[0], page);
