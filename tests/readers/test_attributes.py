from __future__ import annotations

from typing import Any

import pytest

from valueaudit.readers.attributes import decode_value, find, find_text, grow_tree


@pytest.mark.parametrize(
    "attributes",
    [
        {"a.b": 1, "a.c.0": 2, "a.c.1": 3},
        {"a": {"b": 1, "c": [2, 3]}},
        {"a": {"b": 1}, "a.c": [2, 3]},
        {"a.c": [2, 3], "a": {"b": 1}},
        [
            {"key": "a.b", "value": {"intValue": "1"}},
            {"key": "a.c", "value": {"arrayValue": {"values": [{"intValue": 2}, {"int_value": 3}]}}},
            {"key": 3},
            3,
        ],
    ],
)
def test_flat_and_nested_names_are_the_same(attributes: Any) -> None:
    """A value is found by its dotted name however the file nests it."""
    tree = grow_tree(attributes)
    assert (find(tree, "a.b"), find(tree, "a.c"), find(tree, "a.d"), find(tree, "a.b.c")) == (1, [2, 3], None, None)


def test_a_name_may_have_a_value_and_names_below() -> None:
    """Neither the value of `input` nor that of `input.value` is lost, in either order."""
    for tree in (grow_tree({"input": "x", "input.value": "y"}), grow_tree({"input.value": "y", "input": "x"})):
        assert (find(tree, "input"), find(tree, "input.value")) == ("x", "y")


def test_numbered_names_are_in_the_order_of_their_numbers() -> None:
    """The tenth message comes after the second."""
    assert find(grow_tree({"m.10": "c", "m.2": "b", "m.0": "a"}), "m") == ["a", "b", "c"]


def test_the_first_text_is_found() -> None:
    """Names without a value, and values that are no text or blank, are passed over."""
    assert find_text(grow_tree({"a": 1, "b": " ", "c": "x"}), "none", "a", "b", "c") == "x"
    assert find_text({}, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"stringValue": "x"}, "x"),
        ({"intValue": "-12"}, -12),
        ({"intValue": "x"}, "x"),
        ({"boolValue": False}, False),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 0.5}}]}}, {"a": 0.5}),
        ({"kvlistValue": 3}, {}),
        ({"arrayValue": {}}, []),
        ({"other": 1}, {"other": 1}),
        (3, 3),
    ],
)
def test_values_of_otlp(value: Any, expected: Any) -> None:
    """Each kind of value is the JSON value that it stands for; what is in no known form stays as it is."""
    assert decode_value(value) == expected


def test_names_with_many_dots_do_not_grow_without_end() -> None:
    """A tree is at most as deep as people write; what lies deeper stays as it is."""
    deep: Any = "x"
    for _ in range(50):
        deep = {"a.b": deep}
    tree = grow_tree({".".join("a" * 500): 1, "b": deep})
    depth = 0
    while isinstance(tree, dict) and tree:
        tree = tree.get("a") or tree.get("b") or next(iter(tree.values()))
        depth += 1
    assert depth < 80


def test_numbers_of_any_length_are_in_order() -> None:
    """A name of thousands of digits is a place in a list like any other, and ends nothing."""
    tree = grow_tree({"a.10": "c", "a.2": "b", "a.00": "a", f"a.{'9' * 5000}": "d"})
    assert find(tree, "a") == ["a", "b", "c", "d"]
