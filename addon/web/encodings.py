"""What are the character sets called that a file may be written in?"""

from collections.abc import Mapping

from addon.web import texts
from addon.web.texts import mark

LABELS: Mapping[str, str] = {
    "utf-8": mark("UTF-8"),
    "utf-16-le": mark("UTF-16, little-endian"),
    "utf-16-be": mark("UTF-16, big-endian"),
    "windows-1252": mark("Western Europe (Windows-1252)"),
    "windows-1250": mark("Central Europe (Windows-1250)"),
    "windows-1251": mark("Cyrillic (Windows-1251)"),
    "windows-1253": mark("Greek (Windows-1253)"),
    "windows-1254": mark("Turkish (Windows-1254)"),
    "windows-1255": mark("Hebrew (Windows-1255)"),
    "windows-1256": mark("Arabic (Windows-1256)"),
    "cp932": mark("Japanese (Shift JIS)"),
    "gb18030": mark("Chinese (GB 18030)"),
    "big5": mark("Chinese (Big5)"),
    "cp949": mark("Korean (UHC)"),
}


def choices() -> Mapping[str, str]:
    """The words for each that an import reads, by its code."""
    return {code: texts.gettext(label) for code, label in LABELS.items()}
