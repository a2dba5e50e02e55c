// Shows an issue's own parts anew, as AP.jira.refreshIssuePage asks for: the frames beside it stay as they are.
//
// Parts that may change carry data-part; the same page is read again and each part takes the place of the old one.

export const REFRESHED = 'issue-refreshed';

export async function refreshIssue() {
  const response = await fetch(window.location.href);
  if (!response.ok) {
    window.location.reload(); // the issue is gone, or the viewer is another: the page itself says which
    return;
  }
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-part]')) {
    const now = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (now && now.outerHTML !== part.outerHTML && !part.contains(document.activeElement)) part.replaceWith(now);
  }
  document.dispatchEvent(new Event(REFRESHED));
}
