"""How we talk to Jira: signing, calls, listing people, costs and retries."""
