"""In what disorder does a list of people come? Empty lists, people who move while one reads, pages without order.

Everything here is a fault that somebody switched on; a healthy site gives its lists as they are.
"""

import collections.abc
from typing import TypeVar

from sandbox import site

Item = TypeVar("Item")


def arrange(of_site: site.Site, listed: collections.abc.Sequence[Item]) -> collections.abc.Sequence[Item]:
    """The whole list as this read meets it."""
    if of_site.faults.empty_lists:
        return []
    if not of_site.faults.moving_people or not listed:
        return listed
    moved = list(listed)
    for _ in range(of_site.faults.moving_people):
        mover = moved.pop(of_site.dice.randrange(len(moved)))
        moved.insert(of_site.dice.randint(0, len(moved)), mover)
    return moved


def mix(of_site: site.Site, page: collections.abc.Sequence[Item]) -> collections.abc.Sequence[Item]:
    """One page as it comes."""
    return of_site.dice.sample(page, len(page)) if of_site.faults.shuffled_pages else page
