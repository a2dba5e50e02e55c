"""Issues that somebody waits for are found among any number that may wait."""

from addon.storage.migrations import script

revision = "0012"
down_revision = "0011"

INDEXES = """
CREATE INDEX issue_due_awaited ON issue_due (tenant_id, issue_id) WHERE NOT is_backlog;
"""


def upgrade() -> None:
    script.run(INDEXES)
