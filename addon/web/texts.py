"""In which words do the pages speak? Every text a person reads passes through here, so that a translation can follow.

English stands where it is used, as gettext has it; `make texts` gathers all of it in the one catalogue for translators,
`locale/messages.pot` (docs/decisions/0012-texts.md).
"""

from gettext import NullTranslations

_CATALOGUE = NullTranslations()

gettext = _CATALOGUE.gettext
ngettext = _CATALOGUE.ngettext
