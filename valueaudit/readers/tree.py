"""The way a conversation really went, where a log keeps every answer that was ever regenerated as a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple


class Link(NamedTuple):
    """How one message hangs in its conversation; `when` is its time in seconds, where the log knows it."""

    parent: str | None = None
    children: Sequence[str] = ()
    when: float | None = None


class Way(NamedTuple):
    """The messages of one branch, the first said first, and how many other branches there are."""

    keys: list[str]
    branches: int


def find_way(links: Mapping[str, Link], current: str | None = None) -> Way:
    """The branch that ends at `current`, else at the newest leaf; every other leaf is another branch.

    `links` are in the order of the log. A message whose parent is missing is hung up by the lists of children, also
    over the missing one. Where nothing hangs together, the order of the log is the conversation. A cycle ends where it
    closes.
    """
    adopted: dict[str, str] = {}
    for key, link in links.items():
        for child in link.children:
            adopted.setdefault(child, key)
    parents = {key: _find_parent(key, link.parent, links, adopted) for key, link in links.items()}
    inner = set(parents.values())
    named = [link.parent for link in links.values() if link.parent is not None]
    # several that name the same root are siblings, also where the log does not hold it
    if inner <= {None} and len(set(named)) == len(named):
        return Way(list(links), 0)
    leaves = [key for key in links if key not in inner]
    if current not in links:
        current = adopted.get(current) if current is not None else None
    keys = _climb(current if current is not None else _find_newest(leaves or list(links), links), parents)
    taken = set(keys)
    return Way(keys, sum(leaf not in taken for leaf in leaves))


def tell_apart(keys: Sequence[str | None]) -> list[str]:
    """The keys of a list of messages, made up for those that have none or that of an earlier one."""
    known = set(keys)
    taken: set[str] = set()
    told: list[str] = []
    for index, key in enumerate(keys):
        if key is None or key in taken:
            key = f"#{index}"
            while key in known:
                key += "#"
        taken.add(key)
        told.append(key)
    return told


def read_key(value: Any) -> str | None:
    """A key of a message, None where the value can be none."""
    return value if isinstance(value, str) and value else None


def read_keys(value: Any) -> list[str]:
    """The keys in a list, nothing where the value is none."""
    return [key for key in value if isinstance(key, str)] if isinstance(value, list) else []


def read_time(value: Any) -> float | None:
    """Seconds since 1970 of a number, of a number as text, or of ISO 8601 (UTC where it names no zone)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
        return seconds if isfinite(seconds) else None
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _find_parent(key: str, parent: str | None, links: Mapping[str, Link], adopted: Mapping[str, str]) -> str | None:
    found = adopted.get(key)
    if parent is not None:
        found = parent if parent in links else adopted.get(parent, found)
    return None if found == key else found


def _climb(key: str | None, parents: Mapping[str, str | None]) -> list[str]:
    climbed: dict[str, None] = {}
    while key is not None and key not in climbed:
        climbed[key] = None
        key = parents[key]
    return list(reversed(climbed))


def _find_newest(leaves: Sequence[str], links: Mapping[str, Link]) -> str:
    times = [links[key].when for key in leaves]
    known = [when for when in times if when is not None]
    if len(known) < len(times):
        return leaves[-1]
    return max(zip(known, range(len(leaves)), leaves, strict=True))[2]
