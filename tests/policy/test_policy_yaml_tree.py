from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.policy import yaml_tree
from valueaudit.policy.yaml_tree import Mapping, Mark, Scalar, Sequence, parse_tree

ODD = [
    (b"a: *x\n", ['1:4 alias "*x" is not supported, write it out']),
    (b"a: &x 1\n", ['1:4 anchor "&x" is not supported, leave it out']),
    (b"a: !int 1\n", ['1:4 tag "!int" is not supported, leave it out']),
    (b"a: !!str 1\n", ['1:4 tag "tag:yaml.org,2002:str" is not supported, leave it out']),
    (b"? [a]\n: 1\n", ["1:3 a key must be text"]),
    (b"*x : 1\n", ['1:1 alias "*x" is not supported, write it out']),
    (b"<<: {a: 1}\n", ['1:1 merge key "<<" is not supported, write the keys out']),
    (b"a: 1\nb: 2\na: 3\n", ['3:1 "a" is given twice, first on line 1']),
    (b"a: 1\n---\nb: 2\n", ["2:1 a policy is one document, a second one starts here"]),
    (b"", ["1:1 the file is empty"]),
    (b"# only a comment\n", ["1:1 the file is empty"]),
    (b"a: 1\nb: \xff\n", ["2:4 not UTF-8 text"]),
    ("a: 1\n".encode("utf-16"), ["1:1 not UTF-8 text"]),
    ("é: \x00\n".encode(), ["1:4 character U+0000 cannot stand in YAML"]),
]


@pytest.fixture(params=["libyaml", "python"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML: the one in C is not everywhere."""
    loader = yaml.SafeLoader if request.param == "python" else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    monkeypatch.setattr(yaml_tree, "_LOADER", loader)


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize(("content", "expected"), ODD)
def test_what_yaml_can_and_a_policy_may_not(content: bytes, expected: list[str]) -> None:
    """Everything that makes a document say other than what stands there is refused at its place."""
    _, problems = parse_tree(content)
    assert [f"{p.mark.line}:{p.mark.column} {p.text}" for p in problems] == expected


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize("content", [b"a: [1, 2\n", b"a: b: c\n", b"\tkey: 1\n", b"a: 'x\n", b"- a\nb: 1\n", b"}"])
def test_broken_yaml_is_one_problem_at_its_place(content: bytes) -> None:
    """What is not YAML is told once, with the parser's own words."""
    tree, problems = parse_tree(content)
    assert tree is None
    assert [p.text.startswith("not valid YAML: ") for p in problems] == [True]


@pytest.mark.usefixtures("_parser")
def test_words_stay_as_written() -> None:
    """YAML 1.1 would read booleans, numbers and a date here."""
    tree, problems = parse_tree("a: [on, no, 1.10, 2027-01-31, 'true', ~, é]".encode())
    assert not problems
    assert isinstance(tree, Mapping)
    (_, items) = tree.entries[0]
    assert isinstance(items, Sequence)
    scalars = [item for item in items.items if isinstance(item, Scalar)]
    assert [s.text for s in scalars] == ["on", "no", "1.10", "2027-01-31", "true", "~", "é"]
    assert [s.plain for s in scalars] == [True, True, True, True, False, True, True]
    assert scalars[1].mark == Mark(1, 9)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """A file saved by an editor that writes a mark reads the same."""
    assert parse_tree(b"\xef\xbb\xbfa: 1\n") == parse_tree(b"a: 1\n")


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize("opening", [b"[", b"{a: "])
def test_hostile_nesting_is_refused(opening: bytes) -> None:
    """A document nested a thousand times ends in a problem, not in an exhausted stack."""
    tree, problems = parse_tree(opening * 1_000)
    assert tree is None
    assert [p.text for p in problems] == ["nested more than 16 levels deep"]


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!<>|'\"#%\n ,?", max_size=60).map(str.encode))
def test_any_bytes_give_a_tree_or_problems(content: bytes) -> None:
    """No content raises, and where there is no tree there is a problem."""
    tree, problems = parse_tree(content)
    assert tree is not None or problems
    assert all(p.mark.line >= 1 and p.mark.column >= 1 for p in problems)
