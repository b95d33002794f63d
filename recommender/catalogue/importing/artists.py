"""Split a cell into names of artists; each publisher of files joins them in its own way."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping

Splitter = Callable[[str], list[str]]

_QUOTED = r"""(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")"""
_NAME = re.compile(_QUOTED, re.DOTALL)
# As Python prints a list, or numpy an array, of strings; [spunge] is the name of a band.
# Nothing is tried twice (`*+`), or an unclosed list would take for ever.
_LIST = re.compile(rf"\[\s*+(?:{_QUOTED}(?:\s*+,)?+\s*+)*+\]", re.DOTALL)


def single(text: str) -> list[str]:
    return [text]


def by_list(text: str) -> list[str]:
    """['A', "B's"] as data frames write it; anything else is one name."""
    return [*map(_unquoted, _NAME.findall(text))] if _LIST.fullmatch(text) else [text]


def by_semicolon(text: str) -> list[str]:
    """A;B, or a list."""
    return by_list(text) if _LIST.fullmatch(text) else text.split(";")


def by_semicolon_or_comma(text: str) -> list[str]:
    """A;B as Exportify writes it now, or A,B as it did before; a comma and a space are a name's."""
    return text.split(";") if ";" in text else re.split(r",(?!\s)", text)


def by_comma_and_space(text: str) -> list[str]:
    return text.split(", ")


def by_escaped_comma(text: str) -> list[str]:
    r"""A, B where a comma within a name is written \,"""
    return [name.replace("\\,", ",") for name in re.split(r"(?<!\\),\s*", text)]


def names_in(items: Iterable[object]) -> list[object]:
    """The names in a list of names, or of objects that have one."""
    return [item.get("name") if isinstance(item, Mapping) else item for item in items]


def _unquoted(literal: str) -> str:
    try:
        return str(ast.literal_eval(literal.replace("\n", " ").replace("\r", " ")))
    except (SyntaxError, ValueError):
        return literal[1:-1]
