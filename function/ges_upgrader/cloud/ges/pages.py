"""Lists that come in pages and may change while they are read (ges.md 2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ges_upgrader.cloud.answers import text_of

LISTINGS = 4  # so often is a list read that keeps changing
_MOST_ITEMS = 20_000  # far more than a project may have

Item = Mapping[str, Any]


class Page(msgspec.Struct, frozen=True):
    """The items from an offset on; `total` of the list, None if the service does not say."""

    items: Sequence[Item]
    total: int | None


class Pages(msgspec.Struct, frozen=True):
    """All items that were found. `changed`: the pages did not fit together, so that items may be missing."""

    items: Sequence[Item]
    total: int | None
    changed: bool


def read_page(answer: Mapping[str, Any], items_names: Sequence[str], total_names: Sequence[str]) -> Page | None:
    """The page of an answer; None if there is no list in it. What is no object is an empty item."""
    total = _total(answer, total_names)
    items = next((answer[name] for name in items_names if isinstance(answer.get(name), list)), None)
    if items is None:
        return Page((), 0) if total == 0 else None
    return Page([item if isinstance(item, Mapping) else {} for item in items], total)


def _total(answer: Mapping[str, Any], names: Sequence[str]) -> int | None:
    text = text_of(answer, *names) or ""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def read_pages(get: Callable[[int], Page]) -> Pages:
    """The whole list. `get` gives the page at an offset; any page size serves.

    Each page begins with the last item of the page before. So a deletion or a new item in between shows, also if the total
    is the same afterwards. Then the list is read again, this time page after page, as a service may round offsets down. It
    is believed once it is the same twice.
    """
    pages = _read_once(get, overlap=1)
    for _ in range(LISTINGS - 1):
        if not pages.changed:
            break
        again = _read_once(get, overlap=0)
        pages = msgspec.structs.replace(again, changed=again.changed or not _are_same(again, pages))
    return pages


def _are_same(again: Pages, pages: Pages) -> bool:
    return again.total == pages.total and [*map(_id, again.items)] == [*map(_id, pages.items)]


def _read_once(get: Callable[[int], Page], overlap: int) -> Pages:
    reading = _Reading(overlap)
    while len(reading.items) < _MOST_ITEMS:
        if reading.take(get(reading.offset)):
            return Pages(reading.items, reading.total, reading.changed)
    return Pages(reading.items, reading.total, changed=True)


class _Reading:
    """A list that is read page after page, each with so many items of the page before. `offset` is that of the next page."""

    def __init__(self, overlap: int) -> None:
        self.items: list[Item] = []
        self.total: int | None = None
        self.changed, self.offset = False, 0
        self._overlap = overlap
        self._seen: set[str] = set()

    def take(self, page: Page) -> bool:
        """Adds what is new of a page. Whether it was the last."""
        known = len(self.items) - self.offset
        fresh = [item for item in page.items if _id(item) not in self._seen]
        self.changed |= len(fresh) != len(page.items) - known or self.total not in (None, page.total)
        self.total = page.total
        self.items += fresh
        self._seen.update(map(_id, fresh))
        self.offset = len(self.items) - (self._overlap if fresh else 0)
        return len(self.items) == self.total or not (fresh or known)


def _id(item: Item) -> str:
    return text_of(item, "id", "job_id", "jobId") or ""
