"""What an operator likely meant by a text that YAML reads otherwise, or not at all. Pure."""

from __future__ import annotations

import re

_QUOTES = 'put the text in quotes, as "{}"'
_WIDE = {"：": ":", "，": ",", "“": '"', "”": '"', "‘": "'", "’": "'", "［": "[", "］": "]", "｛": "{", "｝": "}", "＊": "*"}


def hint_of(text: str) -> str:
    """A hint, with what joins it to a message, about what stands in the text; empty if there is none."""
    found = next((character for character in text if character in _WIDE), None)
    if found is not None:
        after = " and a blank" if found == "：" else ""
        return f"; {found} is a full-width character: write {_WIDE[found]}{after}"
    left = re.search(r"<[A-Za-z][\w -]*>", text)
    return f"; replace {left[0]} with a value of yours" if left else ""


def explained(problem: str, line: str, before: str) -> str:
    """The problem that YAML has in a line, with what to write instead; `before` is the line before it, which may be why."""
    if "another document" in problem:
        return "a second document begins here; a policy is one document: remove the line `---`"
    if "'\\t'" in problem:
        return f"{problem}; indent with blanks, not with tabs"
    unquoted = re.search(r"""(?:[:,\[{-]\s*|^)([*>&@`%|!][^\s'"\[\]{},]*(?:\s*,\s*[<>=!~][^\s'"\[\]{},]*)*)""", line)
    about_characters = ("cannot start any token", "chomping", "alphabetic or numeric", "undefined alias", "block scalar")
    if unquoted and any(words in problem for words in about_characters):
        return f"{problem}; {_QUOTES.format(unquoted[1].strip())}"
    return f"{problem}{hint_of(line) or hint_of(before)}"
