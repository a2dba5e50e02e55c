"""${message}"""

from addon.storage.migrations import script

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

SQL = """
"""


def upgrade() -> None:
    script.run(SQL)
