"""What does Jira tell an app's frame of the issue that it stands on? Words for its address, and for its script; pure."""

from typing import Any

from sandbox import issues


def placeholders(shown: issues.Issue) -> dict[str, str]:
    """What `{issue.key}` and the like mean in a module's address. Source: Atlassian, "Context parameters"."""
    return {
        "issue.id": shown.issue_id,
        "issue.key": shown.key,
        "issuetype.id": issues.ISSUE_TYPE_ID,
        "project.id": shown.project_id,
        "project.key": shown.project_key,
    }


def claim(shown: issues.Issue) -> dict[str, Any]:
    """What `AP.context.getContext()` answers; tokens say the same, signed, in their claim `context`."""
    return {
        "jira": {
            "issue": {"id": shown.issue_id, "key": shown.key, "issuetype": {"id": issues.ISSUE_TYPE_ID}},
            "project": {"id": shown.project_id, "key": shown.project_key},
        }
    }
