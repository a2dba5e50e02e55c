// The way out of an error page: Jira loads its page again, and with it the frame, by an address with a new token.
document.getElementById('reload').addEventListener('click', () => window.AP.navigator.reload());
