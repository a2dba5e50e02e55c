"""How is a question about a company written in JQL? Pure; whoever asks it sees only the issues that Jira shows them.

Source: Atlassian, "Search syntax for text fields" and "JQL: reserved characters": inside double quotes, a double quote and a
backslash have a backslash before them.
"""

ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})

COMPANY = '"Company"'
"""The field of our descriptor, as people write it. A site with another field of that name searches both."""


def quote(value: str) -> str:
    """The value as a literal, whatever it holds: nothing of it is read as JQL."""
    return f'"{value.translate(ESCAPES)}"'


def open_issues(company_name: str, *, besides: int | None = None) -> str:
    """The company's issues that are not done, the last changed first. `besides`: the issue to leave out."""
    conditions = [f"{COMPANY} = {quote(company_name)}", "statusCategory != Done"]
    if besides is not None:
        conditions.append(f"id != {besides}")
    return f"{' AND '.join(conditions)} ORDER BY updated DESC"
