"""In which words do the pages speak? Every text a person reads passes through here, so that a translation can follow.

English stands where it is used, as gettext has it; `make texts` gathers all of it in the one catalogue for translators,
`locale/messages.pot` (docs/decisions/0012-texts.md).
"""

from gettext import NullTranslations

LANGUAGE = "en-GB"
"""Of the texts, and so of dates and numbers (`<html lang>`)."""

_CATALOGUE = NullTranslations()

gettext = _CATALOGUE.gettext
ngettext = _CATALOGUE.ngettext


def mark(text: str) -> str:
    """The text itself, for the catalogue: where it stands in a table and is translated only when it is shown."""
    return text
