"""Shared fixtures; the folder itself is on the path, so that tests can import `loopback` and `samples`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import JudgeServer

JOB = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY")


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """A judge on loopback that answers well until told otherwise."""
    with JudgeServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, cache or colour of the machine reaches a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "CI", *JOB):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
