from __future__ import annotations

import pytest

from valueaudit.cli.main import run
from valueaudit.taxonomy import load_taxonomy


def test_all_subcategories_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever writes a policy can see every place a value may have."""
    assert run(["taxonomy", "show"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in load_taxonomy().subcategories)


def test_the_values_of_a_subcategory_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The beginning of a name is enough, in any case; adverse values are marked."""
    assert run(["taxonomy", "show", "protecting", "human"]) == 0
    told = capsys.readouterr().out
    assert "deception (adverse): " in told
    assert "\nhonesty" not in told


def test_values_are_found_by_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Names, aliases and definitions are searched; each hit says where it belongs."""
    assert run(["taxonomy", "search", "flattery"]) == 0
    assert "sycophancy (adverse)" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("show", "unicorns"), ("search", "zzzz")])
def test_what_is_not_there_is_told(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """A word without a value is wrong usage, with a way on."""
    assert run(["taxonomy", *arguments]) == 2
    assert "help:" in capsys.readouterr().err
