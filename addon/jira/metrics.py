"""What have calls to Jira cost, and how did they end? Counters for Prometheus; nothing decides by them."""

from prometheus_client import Counter

POINTS = Counter("crm_sync_jira_points", "API points spent, by whether a person waited for the call", ["awaited"])
CALLS = Counter("crm_sync_jira_calls", "Calls to Jira, by how they ended", ["outcome"])
REFUSALS = Counter("crm_sync_jira_refusals", "Answers 429 of Jira, by the limit that was met", ["reason"])
