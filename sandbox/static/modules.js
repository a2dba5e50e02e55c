// What an add-on may ask its page through AP.*, as far as Atlassian's bridge leaves it to the product.
//
// A method receives its answer function as the last argument (the bridge adds it). Methods marked `returnsPromise`
// answer the promise style of AP instead.

import { refreshIssue } from './refresh.js';

const last = (args) => args[args.length - 1];

// Which add-on asks: a page may hold frames of several, and the bridge knows whose call it hands on.
const askingAddon = (args) => last(args)._context.extension.addon_key;

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
export function contentResolver(host) {
  return (extension) => {
    const answer = window.jQuery.Deferred();
    const { customData } = extension.options ?? {};
    const parameters = { addon: extension.addon_key, module: extension.key, ...issueParameter(host), ...acParameters(customData) };
    fetchJson('/bridge/frame', parameters).then(
      ({ url, origin }) => answer.resolve({ url, options: { hostOrigin: window.location.origin, origin } }),
      (error) => answer.reject(null, { text: error.message }),
    );
    return answer.promise();
  };
}

function issueParameter({ issueId }) {
  return issueId === null ? {} : { issue: issueId };
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

// The bridge fills missing arguments up to the function's own number, and then appends the answer function.
const requestModule = promising(async function send(url, options, answerFunction) {
  const { target, init } = prepareRequest(url, options);
  const addonKey = encodeURIComponent(askingAddon([answerFunction]));
  const response = await fetch(`/bridge/request/${addonKey}${target.pathname}${target.search}`, init);
  const answer = describeAnswer(response, await response.text());
  if (!response.ok) throw { err: answer.body, xhr: answer.xhr }; // the shape that Jira's AP.request rejects with
  return answer;
});

function contextModule(host) {
  return {
    getContext: promising(async () => host.context),
    getToken: promising(async (...args) => {
      const { token } = await fetchJson('/bridge/token', { addon: askingAddon(args), ...issueParameter(host) });
      return token;
    }),
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
  refreshIssuePage: refreshIssue,
};

function addressOf(target, context) {
  switch (target.toLowerCase()) {
    case 'addonmodule': {
      const place = `/plugins/servlet/ac/${encodeURIComponent(context.addonKey)}/${encodeURIComponent(context.moduleKey)}`;
      return `${place}?${new URLSearchParams(acParameters(context.customData))}`;
    }
    case 'issue':
      return `/browse/${encodeURIComponent(context.issueKey)}`;
    case 'site':
      if (context.relativeUrl.startsWith('/') && !context.relativeUrl.startsWith('//')) return context.relativeUrl;
  }
  throw new Error(`AP.navigator: this site has no ${target}`);
}

function navigatorModule({ context }) {
  const { issue, project } = context.jira;
  const place = issue
    ? { target: 'issueview', context: { issueId: issue.id, issueKey: issue.key, projectId: project.id, projectKey: project.key } }
    : { target: 'addonmodule' };
  return {
    getLocation: (...args) => last(args)({ ...place, href: window.location.href }),
    go: (target, to) => window.location.assign(addressOf(target, to)),
    reload: () => window.location.reload(),
  };
}

export function defineModules(connectHost, host) {
  connectHost.defineModule('context', contextModule(host));
  connectHost.defineModule('user', userModule(host));
  connectHost.defineModule('history', historyModule);
  connectHost.defineModule('jira', jiraModule);
  connectHost.defineModule('navigator', navigatorModule(host));
  connectHost.defineModule({ request: requestModule }); // no name: AP.request itself
}
