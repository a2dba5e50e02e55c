from addon.crm import spreadsheet
from addon.web import encodings


def test_every_character_set_has_a_name() -> None:
    assert tuple(encodings.choices()) == spreadsheet.ENCODINGS
