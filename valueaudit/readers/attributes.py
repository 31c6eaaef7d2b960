"""Attributes of spans and events as one tree, whether they come flat, nested, or as OTLP's keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

_DEEPEST = 12
_SCALARS = {
    "stringValue": str,
    "string_value": str,
    "boolValue": bool,
    "bool_value": bool,
    "doubleValue": float,
    "double_value": float,
    "intValue": int,
    "int_value": int,
    "bytesValue": str,
    "bytes_value": str,
}


def grow_tree(attributes: Any) -> Tree:
    """`{"a.b": 1, "a.c.0": 2}`, `{"a": {"b": 1}}` or a list of keys and values as `{"a": {"b": 1, "c": {"0": 2}}}`.

    Where a name has a value and names below it, its own value lies under the empty name.
    """
    tree: Tree = {}
    for name, value in _flat(attributes).items():
        _plant(tree, name, value, 0)
    return tree


def find(tree: Tree, name: str) -> Any:
    """The value with a dotted name; a numbered branch as a list, None where there is nothing."""
    node: Any = tree
    for part in name.split("."):
        node = node.get(part) if type(node) is dict else None
    return gather(node)


def find_text(tree: Tree, *names: str) -> str | None:
    """The first of the names whose value is a string with something in it."""
    values = (find(tree, name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def gather(node: Any) -> Any:
    """A branch without numbers for names: those are lists. Of a name with a value and names below it, the value."""
    if type(node) is list:
        return [gather(child) for child in node]
    if type(node) is not dict:
        return node
    if node and all(name.isdecimal() for name in node if name):
        return [gather(node[name]) for name in sorted((name for name in node if name), key=_size)]
    return gather(node[""]) if "" in node else {name: gather(child) for name, child in node.items()}


def _size(number: str) -> tuple[int, str]:
    """Orders digits as the number they write; Python refuses to convert one of thousands of digits."""
    digits = number.lstrip("0")
    return len(digits), digits


def decode_value(value: Any) -> Any:
    """The JSON value of an OTLP `AnyValue`; any other value as it is."""
    if type(value) is not dict or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    if kind in _SCALARS:
        return _convert(inner, _SCALARS[kind])
    if kind in ("arrayValue", "array_value"):
        values = inner.get("values") if type(inner) is dict else None
        return [decode_value(each) for each in values] if type(values) is list else []
    if kind in ("kvlistValue", "kvlist_value"):
        return _flat(inner.get("values") if type(inner) is dict else None)
    return value


def _convert(value: Any, kind: type) -> Any:
    """64-bit numbers are strings in OTLP's JSON."""
    if kind is int and isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20:
        return int(value)
    return value


def _flat(attributes: Any) -> Mapping[str, Any]:
    if type(attributes) is dict:
        return attributes
    pairs = attributes if type(attributes) is list else ()
    return {
        pair["key"]: decode_value(pair.get("value"))
        for pair in pairs
        if type(pair) is dict and isinstance(pair.get("key"), str)
    }


def _plant(tree: Tree, name: str, value: Any, depth: int) -> None:
    parts = name.split(".", _DEEPEST - depth)
    for part in parts[:-1]:
        below = tree.setdefault(part, {})
        if type(below) is not dict:
            below = tree[part] = {"": below}
        tree = below
    depth += len(parts)
    value = _grow(value, depth)
    last = parts[-1]
    before = tree.get(last)
    if type(before) is dict and type(value) is dict:
        before.update(value)
    elif type(before) is dict:
        before[""] = value
    else:
        tree[last] = value


def _grow(value: Any, depth: int) -> Any:
    if depth >= _DEEPEST:
        return value
    if type(value) is list:
        return [_grow(each, depth + 1) for each in value]
    if type(value) is not dict:
        return value
    grown: Tree = {}
    for name, inner in value.items():
        _plant(grown, name, inner, depth)
    return grown
