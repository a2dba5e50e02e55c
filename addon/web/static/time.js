// Shows every <time> in the time zone of the reader, as Jira knows it, or else as the browser does.
//
// The server writes the time in UTC, which stays where no script runs. `data-show` is `minute` (3 May 2026, 10:15), `day`
// (3 May 2026) or `ago` (2 minutes ago); the exact time, with its zone, is the title.
import { text } from './texts.js';

const PATIENCE_MS = 2000;
const RENEWAL_MS = 30000;
const MINUTE_MS = 60000;
const STEPS = [
  { unit: 'minute', ms: MINUTE_MS, below: 60 },
  { unit: 'hour', ms: 60 * MINUTE_MS, below: 24 },
  { unit: 'day', ms: 24 * 60 * MINUTE_MS, below: 31 },
];
const DAY = { day: 'numeric', month: 'long', year: 'numeric' };
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

const locale = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
let formats = formatsIn(undefined);

function formatsIn(timeZone) {
  const format = (parts) => new Intl.DateTimeFormat(locale, { ...parts, timeZone });
  return { day: format(DAY), clock: format(CLOCK), exact: format({ ...CLOCK, timeZoneName: 'short' }) };
}

function writeMinute(at, clock) {
  return `${formats.day.format(at)}, ${clock.format(at)}`;
}

// In the largest unit that is full; null where a date says more.
function writeAgo(at) {
  const distance = at - Date.now();
  if (Math.abs(distance) < MINUTE_MS) return text(distance > 0 ? 'soon' : 'now');
  for (const { unit, ms, below } of STEPS) {
    const number = Math.trunc(distance / ms);
    if (Math.abs(number) < below) return relative.format(number, unit);
  }
  return null;
}

function write(element) {
  const at = new Date(element.dateTime);
  const words = {
    ago: () => writeAgo(at) ?? formats.day.format(at),
    day: () => formats.day.format(at),
  }[element.dataset.show]?.() ?? writeMinute(at, formats.clock);
  if (element.textContent !== words) element.textContent = words;
  element.title = writeMinute(at, formats.exact);
}

function writeAll(root) {
  if (root.matches?.('time[datetime]')) write(root);
  for (const element of root.querySelectorAll('time[datetime]')) write(element);
}

function askForZone() {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS, new Error('Jira named no time zone in time'));
    window.AP.user.getTimeZone(resolve);
  });
}

// The zone of the person's Jira profile. The browser's stays where Jira names none, or one that the browser lacks.
async function followProfile() {
  try {
    formats = formatsIn(await askForZone());
  } catch (error) {
    console.warn('The time zone of the browser is used:', error.message);
  }
  writeAll(document);
}

if (window.AP) followProfile();
else writeAll(document);
setInterval(() => document.querySelectorAll('time[data-show=ago]').forEach(write), RENEWAL_MS);
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node instanceof Element) writeAll(node);
  }
}).observe(document.body, { childList: true, subtree: true });
