"""What hostile or broken surroundings must not do: leak words, spoil a verdict, destroy a file, end in a traceback."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from loopback import Answer, Asked, JudgeServer, build_reply, good
from samples import REPLY, build_line, write_conversations, write_logs
from valueaudit.cli.main import run
from valueaudit.store import FILE_NAME

CANARY = "the heron stands knee deep in the reservoir"
POLICY = "version: 1\npolicy: p\nprohibited: [{id: r, value: deception, at_most: 5%}]\n"
REFUSAL = ("How do I pick my neighbour's lock?", "I can't help with breaking into someone else's home.")
FAILING = "version: 1\npolicy: p\nresponses: [{id: r, type: strong_resistance, at_most: 5%}]\n"
PROGRAM = (sys.executable, "-m", "valueaudit")
needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


def scan(server: JudgeServer, *arguments: str) -> int:
    """The exit code of a scan with the judge at the server."""
    return run(["scan", *arguments, "-m", "openai/test", "--api-base", server.base, "--timeout", "5"])


def shown(asked: Asked) -> dict[str, Any]:
    """A reply in which deception is shown."""
    reply = build_reply(asked)
    reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": REPLY[:30]}
    return reply


def written(folder: Path) -> str:
    """Everything that lies in the working folder beside the logs and the reply store."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name not in {"logs.jsonl", FILE_NAME})
    return "".join(p.read_text(encoding="utf-8", errors="replace") for p in files if "sqlite" not in p.name)


@pytest.fixture
def failing_logs(folder: Path) -> Path:
    """Logs that violate the policy of the working folder."""
    (folder / "valueaudit.policy.yaml").write_text(FAILING)
    return write_logs(folder / "logs.jsonl", (build_line(*REFUSAL, id=f"c-{n}", case=n) for n in range(10)))


@pytest.mark.parametrize("status", [400, 401, 402, 404, 422, 500])
def test_a_provider_that_echoes_does_not_leak_text(
    server: JudgeServer, folder: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    """What a provider says may repeat the transcript or the key: it reaches no document."""
    key = os.environ["OPENAI_API_KEY"]
    server.behaviour = lambda asked: Answer(status=status, error={"message": f"no: {asked.transcript} {key}"})
    write_logs(folder / "logs.jsonl", (build_line(CANARY, f"{REPLY} {n}", id=str(n)) for n in range(4)))
    assert scan(server, "logs.jsonl", "--records", "r.jsonl", "--concurrency", "1", "--max-time", "20s") in {2, 4}
    assert CANARY not in written(folder)
    assert key not in written(folder)
    assert key not in capsys.readouterr().err


def test_secrets_of_the_command_line_are_not_written(server: JudgeServer, folder: Path) -> None:
    """User name, password and query of an address are left out; parameters that could hold a key are refused."""
    write_conversations(folder / "logs.jsonl", 1)
    base = server.base.replace("http://", "http://user:pa@ssword@") + "?key=SECRET"
    run(["scan", "logs.jsonl", "-m", "openai/test", "--api-base", base, "--records", "r.jsonl", "--max-time", "3s"])
    assert "SECRET" not in written(folder)
    assert "ssword" not in written(folder)
    assert run(["scan", "logs.jsonl", "-m", "openai/test", "--param", "aws_secret_access_key=x"]) == 2


def test_the_privacy_flag_does_not_change_the_verdict(failing_logs: Path, folder: Path) -> None:
    """Metadata that a policy names is compared the same, whether text may be written or not."""
    policy = "version: 1\npolicy: p\ncontexts: {b: {metadata.topic: billing and refunds}}\n"
    rule = "responses: [{id: r, type: strong_resistance, at_most: 5%, in: b}]\n"
    (folder / "valueaudit.policy.yaml").write_text(policy + rule)
    user = f"About billing and refunds: {REFUSAL[0]}"
    lines = (build_line(user, f"{REFUSAL[1]} {n}", id=str(n), topic="billing and refunds") for n in range(10))
    write_logs(failing_logs, lines)
    assert run(["scan", "logs.jsonl", "-q"]) == run(["scan", "logs.jsonl", "-q", "--include-text"]) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda reply: json.dumps(reply)[:-2] + ', "deception": {"state": "absent", "message": -1, "quote": ""}}}',
        lambda reply: f"Draft: {json.dumps(reply).replace('shown', 'absent')} Final: {json.dumps(reply)}",
        lambda reply: json.dumps(reply).replace('"ask for advice"', '"ask \\ud83d"'),
    ],
    ids=["a key twice", "two objects", "half a character"],
)
def test_a_reply_that_contradicts_itself_is_malformed(server: JudgeServer, folder: Path, spoil: Any) -> None:
    """Which of two answers was meant is not guessed: the violation of a healthy judge does not become a pass."""
    server.behaviour = lambda asked: Answer(spoil(shown(asked)))
    write_conversations(folder / "logs.jsonl", 60)
    (folder / "p.yaml").write_text(POLICY)
    assert scan(server, "logs.jsonl", "-p", "p.yaml") == 4
    assert json.loads(Path("valueaudit-report.json").read_text())["coverage"]["reasons"] == {"malformed reply": 60}


def test_thoughts_before_the_answer_are_not_the_answer(server: JudgeServer, folder: Path) -> None:
    """Only what stands behind the end of a thought counts, even where its beginning is missing."""

    def behave(asked: Asked) -> Answer:
        if asked.is_confirmation:
            return good(asked)
        return Answer(f"perhaps {json.dumps(build_reply(asked))} no</think>{json.dumps(shown(asked))}")

    server.behaviour = behave
    write_conversations(folder / "logs.jsonl", 8)
    (folder / "p.yaml").write_text(POLICY)
    assert scan(server, "logs.jsonl", "-p", "p.yaml") == 1


def test_an_invented_quotation_in_the_open_answer_is_not_clean(server: JudgeServer, folder: Path) -> None:
    """A prohibited value that is named without proof makes the conversation unknown, never clean."""

    def behave(asked: Asked) -> Answer:
        value = {"value": "deception", "subcategory": "Ethical interaction", "adverse": True, "message": 1}
        return Answer(json.dumps(build_reply(asked, ai_values=[{**value, "quote": "words that nobody said"}])))

    server.behaviour = behave
    write_conversations(folder / "logs.jsonl", 80)
    (folder / "p.yaml").write_text(POLICY)
    assert scan(server, "logs.jsonl", "-p", "p.yaml") == 3
    assert json.loads(Path("valueaudit-report.json").read_text())["rules"][0]["unclassified"] == 80


def test_a_damaged_reply_is_asked_for_again(server: JudgeServer, folder: Path) -> None:
    """A row of the store that cannot be read is a reply that is not there."""
    write_conversations(folder / "logs.jsonl", 3)
    scan(server, "logs.jsonl", "--cache-dir", "kept")
    with sqlite3.connect(folder / "kept" / FILE_NAME) as store:
        store.execute("UPDATE reply SET completion = substr(completion, 1, 20)")
    store.close()
    assert scan(server, "logs.jsonl", "--cache-dir", "kept") == 0
    assert len(server.asked) == 6


def test_an_odd_model_name_in_a_reply_is_no_crash(server: JudgeServer, folder: Path) -> None:
    """Whatever an endpoint puts into the field, the audit goes on."""
    raw = {"id": "x", "object": "chat.completion", "created": 1, "model": 5}

    def behave(asked: Asked) -> Answer:
        message = {"role": "assistant", "content": good(asked).content}
        return Answer(
            raw=json.dumps({**raw, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        )

    server.behaviour = behave
    write_conversations(folder / "logs.jsonl", 2)
    assert scan(server, "logs.jsonl") in {0, 4}


def test_an_unknown_model_in_the_middle_keeps_what_was_answered(server: JudgeServer, folder: Path) -> None:
    """Once something was judged, the run ends incomplete, with its report."""
    server.behaviour = lambda asked: Answer(status=404) if len(server.asked) > 4 else good(asked)
    write_conversations(folder / "logs.jsonl", 20)
    assert scan(server, "logs.jsonl", "--concurrency", "1") == 4
    report = json.loads(Path("valueaudit-report.json").read_text())
    assert (report["coverage"]["classified"], report["coverage"]["found"]) == (4, 20)
    assert report["inputs"][0]["conversations"] == 20


@needs_full_device
@pytest.mark.parametrize(
    "outputs",
    [("-o", "/dev/full", "-o", "ok.json"), ("--records", "/dev/full", "-o", "ok.json")],
    ids=["report", "records"],
)
def test_a_full_disk_hides_no_violation(
    failing_logs: Path, capsys: pytest.CaptureFixture[str], outputs: tuple[str, ...]
) -> None:
    """What can be written is written, the summary is shown, and a proven violation is still exit 1."""
    os.symlink("/dev/full", "full.json")
    outputs = tuple("full.json" if o == "/dev/full" and outputs[0] == "-o" else o for o in outputs)
    assert run(["scan", "logs.jsonl", *outputs]) == 1
    told = capsys.readouterr()
    assert json.loads(Path("ok.json").read_text())["verdict"] == "fail"
    assert "violated: r" in told.out
    assert "no space left" in told.err


@needs_full_device
def test_a_report_that_cannot_be_written_leaves_the_run_incomplete(folder: Path) -> None:
    """Without a violation the missing report decides."""
    write_conversations(folder / "logs.jsonl", 2)
    os.symlink("/dev/full", "full.json")
    assert run(["scan", "logs.jsonl", "-o", "full.json"]) == 4


@pytest.mark.parametrize(
    ("redirection", "code"),
    [(">&-", 1), ("<&-", 1), ("2>&-", 1), (">/dev/full", 1), ("| true", 1), ("-o - >/dev/full", 1), ("-o - >&-", 1)],
)
def test_streams_that_lead_nowhere_hide_no_violation(failing_logs: Path, redirection: str, code: int) -> None:
    """Closed, full and broken standard streams end neither in a traceback nor in another verdict."""
    command = f"'{sys.executable}' -m valueaudit scan logs.jsonl --no-report {redirection}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == code


@pytest.mark.parametrize("command", ["--help", "schema report", "scan nosuch"])
def test_no_broken_pipe_looks_like_a_violation(folder: Path, command: str) -> None:
    """The exit code 1 is kept for verdicts."""
    line = f"(sleep 0.3; '{sys.executable}' -m valueaudit {command} 2>&1; echo $? >code) | true"
    subprocess.run(["bash", "-c", line], check=False)
    assert (folder / "code").read_text().strip() in {"0", "2", "4"}


def test_an_interruption_while_waiting_for_a_silent_pipe(folder: Path) -> None:
    """Ctrl-C ends the program with 130 even where nothing ever comes from standard input."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([*PROGRAM, "scan", "-"], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.wait(timeout=20) == 130
    assert "Fatal" not in process.stderr.read()
    process.communicate()


def test_a_file_name_of_any_bytes_can_be_audited(folder: Path) -> None:
    """Names that are no UTF-8 are shown with replacement characters, in every document."""
    name = os.fsdecode(b"l\xff.jsonl")
    write_conversations(folder / name, 2)
    assert run(["scan", name, "--records", "r.jsonl"]) == 0
    assert json.loads(Path("valueaudit-report.json").read_text())["inputs"][0]["path"] == "l\ufffd.jsonl"


@pytest.mark.parametrize("base", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http://127.0.0.1:abc/v1", "http://"])
def test_an_address_that_is_none_is_refused(folder: Path, base: str) -> None:
    """A typo in --api-base is wrong usage, not a crash."""
    write_conversations(folder / "logs.jsonl", 1)
    assert run(["scan", "logs.jsonl", "-m", "openai/x", "--api-base", base]) == 2


def test_scanning_a_folder_again_leaves_out_its_own_records(folder: Path) -> None:
    """A records file beside the logs is none of the logs."""
    write_conversations(folder / "logs.jsonl", 3)
    for _ in range(2):
        assert run(["scan", ".", "--records", "records.jsonl", "-q"]) == 0
        assert json.loads(Path("valueaudit-report.json").read_text())["coverage"]["found"] == 3


def test_records_do_not_go_to_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is no name for a records file."""
    write_conversations(folder / "logs.jsonl", 1)
    assert run(["scan", "logs.jsonl", "--records", "-"]) == 2
    assert "records go to a file" in capsys.readouterr().err


class Listener:
    """Another host, as far as addresses go: a server on 127.0.0.1 reached by a name that is not loopback."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(self.rfile.read(int(self.headers["content-length"] or 0)))
                self.send_response(500)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.mark.parametrize("way", ["proxy", "redirect"])
def test_offline_follows_neither_proxies_nor_redirects(server: JudgeServer, folder: Path, way: str) -> None:
    """With --offline a transcript reaches no other address, whatever environment or endpoint say."""
    # A name that can never be found (RFC 2606), so that not even a broken program would send anything.
    elsewhere = "http://elsewhere.invalid/v1"
    listener = Listener()
    write_conversations(folder / "logs.jsonl", 2)
    environment = {**os.environ, "OPENAI_API_KEY": "x"}
    if way == "proxy":
        proxy = f"http://127.0.0.1:{listener.server.server_port}"
        environment |= {"HTTP_PROXY": proxy, "http_proxy": proxy, "ALL_PROXY": proxy}
    else:
        server.behaviour = lambda asked: Answer(status=307, headers={"location": f"{elsewhere}/chat/completions"})
    arguments = ("scan", "logs.jsonl", "-m", "openai/test", "--api-base", server.base, "--offline", "--max-time", "5s")
    done = subprocess.run(
        [*PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    listener.server.shutdown()
    listener.server.server_close()
    assert listener.heard == []
    assert done.returncode == (0 if way == "proxy" else 4)
