from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.readers.tree import Link, Way, find_way, read_key, read_keys, read_time, tell_apart

steady = settings(deadline=None, derandomize=True)


def hang(**parents: str | None) -> dict[str, Link]:
    """Links of these parents, in this order."""
    return {key: Link(parent) for key, parent in parents.items()}


def test_the_way_ends_at_the_current_message() -> None:
    """The messages from the root to the current one are the way; the other leaf is a branch."""
    links = hang(a=None, b="a", c="b", d="a")
    assert find_way(links, "c") == Way(["a", "b", "c"], 1)
    assert find_way(links, "d") == Way(["a", "d"], 1)


def test_without_a_current_message_the_newest_leaf_counts() -> None:
    """The newest leaf is that of the latest time, and the last one where a time is missing."""
    links = {"a": Link(None, (), 9.0), "b": Link("a", (), 3.0), "c": Link("a", (), 2.0)}
    assert find_way(links).keys == ["a", "b"]
    assert find_way({**links, "c": Link("a")}).keys == ["a", "c"]
    assert find_way(links, "unknown").keys == ["a", "b"]


def test_lists_of_children_hang_up_what_names_no_parent() -> None:
    """A message without a parent hangs where a list of children has it."""
    links = {"a": Link(None, ("b",)), "b": Link(None, ("c",)), "c": Link()}
    assert find_way(links) == Way(["a", "b", "c"], 0)


def test_a_missing_message_is_bridged() -> None:
    """What hangs below a missing message hangs on the one that lists the missing one as its child."""
    links = {"a": Link(None, ("gone",)), "b": Link("gone", ("c",)), "c": Link("b")}
    assert find_way(links, "c") == Way(["a", "b", "c"], 0)
    assert find_way(links, "gone") == Way(["a"], 1)


def test_a_parent_that_nobody_knows_makes_a_root() -> None:
    """Below a parent that is nowhere begins a tree of its own, and the other root is another branch."""
    links = hang(a=None, b="a", x="gone", y="x")
    assert find_way(links, "y") == Way(["x", "y"], 1)
    assert find_way(links, "b") == Way(["a", "b"], 1)


def test_where_nothing_hangs_together_the_order_counts() -> None:
    """Messages without any link are one conversation in the order of the log."""
    assert find_way(hang(a=None, b=None, c="gone")) == Way(["a", "b", "c"], 0)
    assert find_way({}) == Way([], 0)


def test_siblings_below_a_root_that_is_not_there() -> None:
    """Messages that name the same unknown parent are branches, not a conversation."""
    links = hang(a="root", b="root")
    assert find_way(links) == Way(["b"], 1)
    assert find_way(links, "a") == Way(["a"], 1)


@pytest.mark.parametrize(
    ("parents", "current", "expected"),
    [
        ({"a": "b", "b": "a"}, "a", ["b", "a"]),
        ({"a": "b", "b": "a"}, None, ["a", "b"]),
        ({"a": "a", "b": "a"}, None, ["a", "b"]),
        ({"a": "c", "b": "a", "c": "b", "d": "c"}, "d", ["a", "b", "c", "d"]),
    ],
)
def test_cycles_end(parents: dict[str, str | None], current: str | None, expected: list[str]) -> None:
    """A cycle is gone round once, and a message that names itself as its parent is a root."""
    assert find_way(hang(**parents), current).keys == expected


def test_a_long_conversation_is_one_way() -> None:
    """100,000 messages are followed without recursion, in less than two seconds of CPU."""
    links = {str(index): Link(str(index - 1) if index else None) for index in range(100_000)}
    start = time.process_time()
    way = find_way(links)
    assert time.process_time() - start < 2
    assert len(way.keys) == 100_000
    assert way.branches == 0


keys = st.sampled_from("abcdefg")


@steady
@given(
    st.dictionaries(keys, st.builds(Link, st.none() | keys, st.lists(keys), st.none() | st.floats())), st.none() | keys
)
def test_any_links_give_a_way(links: Mapping[str, Link], current: str | None) -> None:
    """Whatever hangs on what, the way holds known messages, each once, and the current one where it is known."""
    way = find_way(links, current)
    assert len(set(way.keys)) == len(way.keys)
    assert set(way.keys) <= set(links)
    assert current not in links or current in way.keys
    assert 0 <= way.branches <= len(links)


def test_keys_are_told_apart() -> None:
    """Each message has a key of its own: a missing or a repeated one is made up, and none that is there is taken."""
    assert tell_apart(["a", None, "a", "#1"]) == ["a", "#1#", "#2", "#1"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1.5, 1.5),
        ("12", 12.0),
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01 00:00:05", 5.0),
        ("soon", None),
        ("nan", None),
        (10**400, None),
        (True, None),
        ([1], None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_times(value: object, seconds: float | None) -> None:
    """Numbers and ISO 8601 are times; what is neither is none."""
    assert read_time(value) == seconds


def test_keys_of_any_value() -> None:
    """Only strings are keys, and an empty one is none."""
    assert [read_key(value) for value in ("a", "", None, 3)] == ["a", None, None, None]
    assert read_keys(["a", None, ["b"]]) == ["a"]
    assert read_keys("ab") == []
