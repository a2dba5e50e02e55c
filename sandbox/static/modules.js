// What an add-on may ask its page through AP.*, as far as Atlassian's bridge leaves it to the product.
//
// A method receives its answer function as the last argument (the bridge adds it). Methods marked `returnsPromise`
// answer the promise style of AP instead.

const last = (args) => args[args.length - 1];

function promising(method) {
  return Object.assign(method, { returnsPromise: true });
}

async function fetchJson(path, parameters) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`, { headers: { Accept: 'application/json' } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.message);
  return body;
}

// The bridge calls this for a frame that has no address yet (a dialog) or whose token ran out. It wants jQuery's
// promise, and `error.text` as the second argument of a failure.
export function contentResolver(extension) {
  const answer = window.jQuery.Deferred();
  const { customData } = extension.options ?? {};
  const parameters = { addon: extension.addon_key, module: extension.key, ...acParameters(customData) };
  fetchJson('/bridge/frame', parameters).then(
    ({ url, origin }) => answer.resolve({ url, options: { hostOrigin: window.location.origin, origin } }),
    (error) => answer.reject(null, { text: error.message }),
  );
  return answer.promise();
}

function acParameters(customData) {
  if (customData === null || typeof customData !== 'object') return {};
  return Object.fromEntries(Object.entries(customData).map(([name, value]) => [`ac.${name}`, String(value)]));
}

// AP.request: the call goes to this site as the person who looks at the page, never with the add-on's own rights.
function prepareRequest(url, options) {
  const asked = typeof url === 'object' ? url : { ...options, url };
  const target = new URL(asked.url, window.location.origin);
  if (target.origin !== window.location.origin) throw new Error('AP.request reaches this site only');
  const type = (asked.type ?? asked.method ?? 'GET').toUpperCase();
  const headers = { Accept: 'application/json', ...asked.headers };
  if (asked.experimental) headers['X-ExperimentalApi'] = 'opt-in';
  let body;
  if (type === 'GET') {
    for (const [name, value] of Object.entries(asked.data ?? {})) target.searchParams.append(name, value);
  } else if (asked.data !== undefined) {
    body = typeof asked.data === 'string' ? asked.data : JSON.stringify(asked.data);
    headers['Content-Type'] = asked.contentType ?? 'application/json';
  }
  return { target, init: { body, headers, method: type } };
}

function describeAnswer(response, text) {
  const headers = Object.fromEntries(response.headers);
  return { body: text, xhr: { status: response.status, statusText: response.statusText, responseText: text, headers } };
}

function requestModule(host) {
  return promising(async function send(url, options) {
    const { target, init } = prepareRequest(url, options);
    const path = `/bridge/request/${encodeURIComponent(host.addonKey)}${target.pathname}${target.search}`;
    const response = await fetch(path, init);
    const answer = describeAnswer(response, await response.text());
    if (!response.ok) throw { err: answer.body, xhr: answer.xhr }; // the shape that Jira's AP.request rejects with
    return answer;
  });
}

function contextModule(host) {
  return {
    getContext: promising(async () => ({ jira: {} })),
    getToken: promising(async () => (await fetchJson('/bridge/token', { addon: host.addonKey })).token),
  };
}

function userModule({ viewer }) {
  return {
    getCurrentUser: (...args) => last(args)({ atlassianAccountId: viewer.accountId }),
    getLocale: (...args) => last(args)(viewer.locale),
    getTimeZone: (...args) => last(args)(viewer.timeZone),
  };
}

// AP.history keeps the add-on's place in the hash, after "#!", as Jira does.
const historyModule = {
  back: () => window.history.back(),
  forward: () => window.history.forward(),
  getState: (...args) => last(args)(window.location.hash.replace(/^#!/, '')),
  go: (delta) => window.history.go(delta),
  pushState: (state) => window.history.pushState(null, '', `#!${state}`),
  replaceState: (state) => window.history.replaceState(null, '', `#!${state}`),
};

const jiraModule = {
  isNativeApp: (...args) => last(args)(false),
  refreshIssuePage: () => window.location.reload(),
};

const navigatorModule = {
  getLocation: (...args) => last(args)({ target: 'addonmodule', href: window.location.href }),
  go(target, context) {
    if (target === 'addonmodule') {
      const place = `/plugins/servlet/ac/${encodeURIComponent(context.addonKey)}/${encodeURIComponent(context.moduleKey)}`;
      window.location.assign(`${place}?${new URLSearchParams(acParameters(context.customData))}`);
    } else if (target === 'site' && context.relativeUrl?.startsWith('/') && !context.relativeUrl.startsWith('//')) {
      window.location.assign(context.relativeUrl);
    } else {
      throw new Error(`AP.navigator: this site has no ${target}`);
    }
  },
  reload: () => window.location.reload(),
};

export function defineModules(connectHost, host) {
  connectHost.defineModule('context', contextModule(host));
  connectHost.defineModule('user', userModule(host));
  connectHost.defineModule('history', historyModule);
  connectHost.defineModule('jira', jiraModule);
  connectHost.defineModule('navigator', navigatorModule);
  connectHost.defineModule({ request: requestModule(host) }); // no name: AP.request itself
}
