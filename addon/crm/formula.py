"""How does a text stand in a spreadsheet without being run as a formula, and how is it read back unchanged? Pure.

What a spreadsheet program would take for a formula gets an apostrophe in front, and so does what already looks like a
text that was guarded: `unguard(guard(text)) == text` for every text.
"""

import re

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
# Source of the characters: OWASP, "CSV Injection".


def guard(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def unguard(cell: str) -> str:
    return cell[1:] if GUARDED.match(cell) else cell
