"""What are people and places called? Seeded names in many scripts and the email addresses made of them.

Faker is slow per call, so a few hundred parts are drawn per language once in a process and combined afterwards: the
parts are the same for every seed, the people made of them are not.
"""

import dataclasses
import functools
import random
import unicodedata

import faker

PARTS_PER_LOCALE = 150
LONG_NAME_PARTS = 9
COUNTED_NAMESAKES = 16
"""So many people of one name get 2, 3, ... in their address; later ones a random number, which is found sooner."""

# Locale, share of the names in per cent, whether the family name stands first, what stands between the parts.
LOCALES = (
    ("en_US", 34, False, " "),
    ("de_DE", 10, False, " "),
    ("fr_FR", 8, False, " "),
    ("pl_PL", 6, False, " "),
    ("es_ES", 6, False, " "),
    ("tr_TR", 4, False, " "),
    ("vi_VN", 4, True, " "),
    ("ru_RU", 5, False, " "),
    ("el_GR", 3, False, " "),
    ("ja_JP", 4, True, " "),
    ("zh_CN", 4, True, ""),
    ("ko_KR", 3, True, ""),
    ("ar_AA", 3, False, " "),
    ("he_IL", 3, False, " "),
    ("hi_IN", 2, False, " "),
    ("th_TH", 1, False, " "),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the names of one language are made of."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    companies: tuple[str, ...]
    words: tuple[str, ...]


class Names:
    """Names and addresses for one site. The same seed gives the same ones in the same order of calls."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._parts = [_load_parts(locale) for locale, _, _, _ in LOCALES]
        self._weights = [share for _, share, _, _ in LOCALES]
        self._taken: set[str] = set()

    def draw_name(self) -> str:
        index = self._rng.choices(range(len(LOCALES)), self._weights)[0]
        _, _, family_first, joint = LOCALES[index]
        given, family = self._rng.choice(self._parts[index].given), self._rng.choice(self._parts[index].family)
        return joint.join((family, given) if family_first else (given, family))

    def draw_long_name(self) -> str:
        """Longer than most columns and layouts expect."""
        return " ".join(self.draw_name() for _ in range(LONG_NAME_PARTS))

    def draw_email(self, name: str, domain: str) -> str:
        """An address nobody else got; names that have no ASCII form get a nickname."""
        decomposed = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        parts = ["".join(filter(str.isalnum, part)) for part in decomposed.split()]
        parts = [part for part in parts if part] or [self._rng.choice(self._parts[0].given) + "z"]
        local = ".".join((parts[0], parts[-1]) if len(parts) > 1 else parts)
        local = local if self._rng.random() < 0.1 else local.lower()  # noqa: PLR2004 - one in ten keeps its capitals
        address, number = f"{local}@{domain}", 1
        while address.casefold() in self._taken:
            number = number + 1 if number < COUNTED_NAMESAKES else self._rng.randrange(10**6)
            address = f"{local}{number}@{domain}"
        self._taken.add(address.casefold())
        return address

    def draw_company(self) -> str:
        return f"{self._rng.choice(self._parts[0].companies)} {self._rng.choice(self._parts[0].words)}"

    def draw_project(self) -> str:
        return f"{self._rng.choice(self._parts[0].words)} {self._rng.choice(('Support', 'Help', 'Service', 'Care'))}"


def domain_of(company: str, number: int) -> str:
    """A domain that can exist nowhere (RFC 2606); the number keeps two companies of one name apart."""
    first_word = company.lower().replace("-", " ").replace(",", " ").split()[0]
    label = "".join(letter for letter in first_word if letter.isascii() and letter.isalnum())
    return f"{label}{number or ''}.example"


@functools.cache
def _load_parts(locale: str) -> Parts:
    source = faker.Faker(locale, use_weighting=False)
    source.seed_instance(locale)
    return Parts(
        given=tuple(str(source.first_name()) for _ in range(PARTS_PER_LOCALE)),
        family=tuple(str(source.last_name()) for _ in range(PARTS_PER_LOCALE)),
        companies=tuple(str(source.company()) for _ in range(PARTS_PER_LOCALE)),
        words=tuple(str(source.word()).capitalize() for _ in range(PARTS_PER_LOCALE)),
    )
