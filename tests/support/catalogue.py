"""Which texts does a person read in the pages? Gathers them in the catalogue for translators; `make texts` writes it.

The catalogue names files without lines and has no date, so it changes only when a text does.
"""

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "addon" / "web" / "locale" / "messages.pot"
HEADER = """\
# Every text that a person reads in the pages, in English. Made by `make texts`; docs/decisions/0012-texts.md.
msgid ""
msgstr ""
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
METHODS = [("web/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"web/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
# Which argument of which call is a text. The errors' own are translated by `addon.web.errors` when they are shown.
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "mark": None,
    "NotAllowed": None,
    "NotFound": None,
    "ContactSynced": None,
    "StaleVersion": None,
    "Busy": None,
    "FieldProblem": (2,),
    "Dead": None,
    "Remark": None,
}


def gather() -> str:
    """The catalogue as it has to be, in a stable order."""
    catalogue = Catalog(charset="utf-8")
    for package in ("addon", "lifecycle"):
        for name, _, message, _, context in extract_from_dir(
            str(ROOT / package), METHODS, OPTIONS, KEYWORDS, comment_tags=(), strip_comment_tags=False
        ):
            if any(character.isalpha() for character in "".join(message)):
                catalogue.add(message, locations=[(f"{package}/{name}", 0)], context=context)
    written = io.BytesIO()
    write_po(written, catalogue, width=120, omit_header=True, sort_output=True, include_lineno=False)
    return HEADER + written.getvalue().decode()


def main() -> None:
    CATALOGUE.parent.mkdir(exist_ok=True)
    CATALOGUE.write_text(gather(), encoding="utf-8")


if __name__ == "__main__":
    main()
