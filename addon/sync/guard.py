"""May a run believe that so many accounts are gone (D9)? Pure."""

FEW = 20
SHARE = 0.05
# D9: a scan that would unlink more than max(20, 5 %) waits for an admin.


def is_plausible(*, gone: int, links: int) -> bool:
    """Whether `gone` of `links` links may be dropped without asking."""
    return gone <= max(FEW, SHARE * links)
