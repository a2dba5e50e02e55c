"""Which browser do the tests and the pictures use? As a command: exit status 1 and advice if there is none.

Of the standard library alone: the set-up asks before any package is there.
"""

import os
import shutil
import sys

VARIABLE = "CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = (
    f"install Chromium or Google Chrome so that one of {', '.join(NAMES)} is on the PATH"
    f" (Debian: apt-get install chromium), or set {VARIABLE} to the path of one"
)


def find() -> str | None:
    """The path of the one that CHROMIUM names, or of the first on the PATH."""
    named = os.environ.get(VARIABLE)
    candidates = [named] if named else NAMES
    return next((path for path in map(shutil.which, candidates) if path is not None), None)


if __name__ == "__main__":
    sys.exit(None if find() else ADVICE)
