"""What PostgreSQL's LIKE says, written down a second time."""

import re


def is_like(text: str, pattern: str) -> bool:
    parts = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    meaning = {"%": ".*", "_": "."}
    written = "".join(re.escape(literal) if literal else meaning.get(char, re.escape(char)) for literal, char in parts)
    return re.fullmatch(written, text, re.DOTALL) is not None
