"""How does a text stand in a spreadsheet without being run as a formula, and how is it read back unchanged? Pure.

What a spreadsheet program would take for a formula gets an apostrophe in front, and so does what already looks like a
text that was guarded: `unguard(guard(text)) == text` for every text.
"""

import re

START = r"\A{guard}(?='*[=+\-@\t\r\n])"
# Source of the characters: OWASP, "CSV Injection".
PART = r"(?<=[;\t\r\n]){guard}(?=['\"]*[=+\-@])"
# In countries where a semicolon stands between cells, a program cuts ours there, whatever quotes are around them.

EITHER = f"{START}|{PART}"
FORMULA = re.compile(EITHER.format(guard=""))
GUARDED = re.compile(EITHER.format(guard="'"))


def guard(text: str) -> str:
    return FORMULA.sub("'", text)


def unguard(cell: str) -> str:
    return GUARDED.sub("", cell)
