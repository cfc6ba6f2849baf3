"""A list that changes while its pages are read: what counts as complete holds everything that was there all the time."""

from __future__ import annotations

from itertools import count

from hypothesis import event, given, settings
from hypothesis import strategies as st

from ges_upgrader.cloud.ges.pages import LISTINGS, Page, read_page, read_pages

# Before each page: items that are deleted and inserted, by their places.
changes = st.lists(st.tuples(st.lists(st.integers(0, 30), max_size=2), st.lists(st.integers(0, 30), max_size=2)), max_size=12)


class Shelf:
    """A list of items in pages, which changes before each page is given."""

    def __init__(self, length: int, size: int, script: list[tuple[list[int], list[int]]], counts: bool) -> None:
        self.names = map(str, count())
        self.items = [next(self.names) for _ in range(length)]
        self.always = set(self.items)  # there since the reading of the list began, as far as it has come
        self.size, self.script, self.counts = size, script, counts
        self.pages = 0

    def get(self, offset: int) -> Page:
        if offset == 0:
            self.always = set(self.items)
        elif self.script:
            deleted, inserted = self.script.pop(0)
            for place in deleted:
                if place < len(self.items):
                    self.always.discard(self.items.pop(place))
            for place in inserted:
                self.items.insert(min(place, len(self.items)), next(self.names))
        self.pages += 1
        page = [{"id": name} for name in self.items[offset : offset + self.size]]
        return Page(page, len(self.items) if self.counts else None)


@settings(max_examples=300)
@given(st.integers(0, 25), st.integers(2, 8), changes, st.booleans())
def test_complete_list_lacks_nothing(length: int, size: int, script: list[tuple[list[int], list[int]]], counts: bool) -> None:
    """Pages of one item overlap in nothing else; then only the total protects."""
    shelf = Shelf(length, size, script, counts)
    pages = read_pages(shelf.get)
    listed = {item["id"] for item in pages.items}
    complete = not pages.changed and pages.total in (None, len(pages.items))
    event(f"complete: {complete}, {'some' if size < length else 'one'} page")
    assert not complete or shelf.always <= listed
    assert len(listed) == len(pages.items)
    assert shelf.pages <= LISTINGS * (2 * (length + 30) + 2)


@given(st.integers(0, 25), st.integers(1, 8), st.booleans())
def test_quiet_list_is_complete(length: int, size: int, counts: bool) -> None:
    shelf = Shelf(length, size, [], counts)
    pages = read_pages(shelf.get)
    assert ([item["id"] for item in pages.items], pages.changed) == (shelf.items, False)


values = st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=8)


@given(st.dictionaries(st.sampled_from(["items", "total"]), values))
def test_any_answer_is_a_page_or_none(answer: dict[str, object]) -> None:
    page = read_page(answer, ("items",), ("total",))
    assert page is None or all(isinstance(item, dict) for item in page.items)
    assert page is None or page.total is None or page.total >= 0
