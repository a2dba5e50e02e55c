// Embeds one module of an add-on in this page, with Atlassian's own bridge, and offers it what Jira offers.
//
// The page says what to embed in <script type="application/json" id="host-data">; modules.js answers the add-on's
// calls, flags.js and dialogs.js draw what it asks the page to draw.
import { contentResolver, defineModules } from './modules.js';
import { dialogModule, watchDialogs } from './dialogs.js';
import { flagModule, messagesModule } from './flags.js';

const { connectHost } = window;
const host = JSON.parse(document.getElementById('host-data').textContent);

function embed(target) {
  const extension = {
    addon_key: host.addonKey,
    key: host.moduleKey,
    url: host.url,
    options: {
      autoresize: true,
      hostOrigin: window.location.origin,
      isFullPage: host.isFullPage,
      origin: new URL(host.url).origin,
    },
  };
  target.replaceChildren(connectHost.create(extension)[0]);
  const frame = target.querySelector('iframe');
  frame.title = host.title;
}

for (const module of [flagModule, messagesModule, dialogModule]) {
  connectHost.getFrameworkAdaptor().registerModule(module);
}
defineModules(connectHost, host);
connectHost.registerContentResolver.resolveByExtension(contentResolver);
watchDialogs(connectHost);
connectHost.onIframeEstablished(({ extension }) => {
  const frame = document.getElementById(extension.id);
  if (!frame) return;
  frame.title ||= extension.key; // a dialog's frame is made by the bridge, without a name
  frame.dataset.bridge = 'established';
});
embed(document.getElementById('module'));
