"""What does a call to Jira cost in API points? Pure; the published prices.

Source: Atlassian, "Rate limiting", points-based quota (last updated 12 Aug 2026): every request 1; a read adds 2 for each
identity object (user, group, role, permission) and 1 for each other core object; a write is 1 flat.
"""

REQUEST = 1
IDENTITY = 2
CORE = 1


def read_identities(count: int) -> int:
    """The price of a read that returned `count` users or groups."""
    return REQUEST + IDENTITY * count


def read_core(count: int) -> int:
    """The price of a read that returned `count` issues, projects or the like."""
    return REQUEST + CORE * count
