from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from check_jsonschema import main as check

from valueaudit.cli.main import cli, run
from valueaudit.policy import parse_policy
from valueaudit.taxonomy import load_taxonomy

EXAMPLES = Path(__file__).parents[1] / "examples"
WORKFLOW = EXAMPLES / "github-workflow.yml"
PIPELINE = EXAMPLES / "gitlab-ci.yml"
HOOK = EXAMPLES / "pre-commit-config.yaml"


def read(path: Path) -> Any:
    """The document of an example."""
    return yaml.safe_load(path.read_text("utf-8"))


def texts(node: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from texts(each)
    elif isinstance(node, str):
        yield node


def commands(path: Path) -> list[list[str]]:
    """The arguments of each call of valueaudit in an example."""
    return [shlex.split(text)[1:] for text in texts(read(path)) if text.startswith("valueaudit ")]


@pytest.mark.parametrize(("kind", "path"), [("github-workflows", WORKFLOW), ("gitlab-ci", PIPELINE)])
def test_examples_satisfy_the_published_schemas(kind: str, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The schemas that editors use for GitHub workflows and GitLab pipelines accept the examples."""
    with pytest.raises(SystemExit) as ended:
        check(["--builtin-schema", f"vendor.{kind}", str(path)])
    assert ended.value.code == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", [WORKFLOW, PIPELINE, HOOK], ids=lambda path: path.name)
def test_every_command_in_the_examples_is_one(path: Path) -> None:
    """Flags and arguments are those of this release."""
    found = commands(path)
    assert found
    for name, *arguments in found:
        command: click.Command | None = cli.commands.get(name)
        while isinstance(command, click.Group):
            name, *arguments = arguments
            command = command.commands[name]
        assert command is not None or name == "policy"
        if command is not None:
            command.make_context(name, list(arguments))


def test_the_workflow_uploads_what_the_audit_wrote_whatever_it_found() -> None:
    """Every step after the audit runs also where it fails, and takes files that the audit writes."""
    steps = read(WORKFLOW)["jobs"]["audit"]["steps"]
    (place,) = [n for n, step in enumerate(steps) if step.get("name") == "Audit"]
    after = steps[place + 1 :]
    written = [word for word in shlex.split(steps[place]["run"]) if word.startswith("values.")]
    assert [step["if"].split(" ")[0] for step in after] == ["always()", "always()"]
    assert after[0]["with"]["sarif_file"] in written
    assert after[1]["with"]["path"].split() == written


def test_the_pipeline_keeps_what_the_audit_wrote_whatever_it_found() -> None:
    """Artifacts and test report are kept also where the job fails."""
    job = read(PIPELINE)["values"]
    written = {word for word in shlex.split(job["script"][-1]) if word.startswith("values.")}
    assert job["artifacts"]["when"] == "always"
    assert {*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]} == written


def test_the_audit_of_the_examples_writes_its_reports_before_it_fails(folder: Path) -> None:
    """The command of each example, without its model, ends with a verdict's exit code and leaves every report."""
    (folder / "logs").mkdir()
    (folder / "logs" / "a.jsonl").write_bytes((EXAMPLES / "conversations.jsonl").read_bytes())
    policy = (EXAMPLES / "valueaudit.policy.yaml").read_bytes()
    (folder / "valueaudit.policy.yaml").write_bytes(policy)
    assert parse_policy(policy, "p", load_taxonomy()).rules
    for path in (WORKFLOW, PIPELINE):
        (arguments,) = [each for each in commands(path) if each[0] == "scan"]
        model = arguments.index("-m")
        assert run([*arguments[:model], *arguments[model + 2 :], "-q"]) == 3
        written = [word for word in arguments if word.startswith("values.")]
        assert all((folder / name).stat().st_size for name in written)


def test_the_hook_lints_the_policy_that_scan_finds() -> None:
    """It runs where the policy of the working folder changes."""
    (hook,) = read(HOOK)["repos"][0]["hooks"]
    assert shlex.split(hook["entry"]) == ["valueaudit", "policy", "lint", "valueaudit.policy.yaml"]
    assert hook["pass_filenames"] is False
