from __future__ import annotations

import re
from pathlib import Path

import pytest

from valueaudit.cli.main import cli
from valueaudit.errors import ExitCode

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def read(name: str) -> str:
    """A page of the documentation."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_ci_runs_the_two_commands_of_the_readme() -> None:
    """What the README promises a newcomer is, word for word, what CI runs."""
    commands = re.findall(r"```sh\n(.+?)\n```", read("README.md"), re.DOTALL)
    ci = read(".ci/run")
    assert len(commands) == 2
    assert all(command in ci for command in commands)


def test_every_command_and_flag_is_documented() -> None:
    """docs/cli.md has a section for each command."""
    page = read("docs/cli.md")
    for name, command in cli.commands.items():
        assert f"\n## valueaudit {name}\n" in page
        flags = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        assert all(flag in page for flag in flags)


@pytest.mark.parametrize("page", ["README.md", "docs/decision.md"])
def test_every_exit_code_is_documented(page: str) -> None:
    """The tables name each code."""
    text = read(page)
    assert all(re.search(rf"^\| *{code.value} *\|", text, re.MULTILINE) for code in ExitCode)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link and every `docs/...` mentioned exists."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(r"`((?:docs|tests|examples|benchmarks)/[\w./-]+\.\w+)`", text):
        assert (ROOT / target).exists(), target


def test_every_module_is_on_the_design_page() -> None:
    """A room that is not on the map is a room nobody finds."""
    page = read("docs/design.md")
    for path in (ROOT / "valueaudit").iterdir():
        if path.name.startswith("_") or path.name in {"py.typed", "data"}:
            continue
        assert (path.name if path.is_file() else f"{path.name}/") in page, path.name
