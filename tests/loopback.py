"""A real HTTP server on loopback that speaks enough of the OpenAI chat API for a judge, and misbehaves on demand."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_HEADER = re.compile(r"^\[M(\d+) (\w+) ([0-9a-f]{16})\]$", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def system(self) -> str:
        """The instructions."""
        content = self.body["messages"][0]["content"]
        return content if isinstance(content, str) else content[0]["text"]

    @property
    def transcript(self) -> str:
        """The fenced transcript."""
        return str(self.body["messages"][1]["content"])

    @property
    def is_repair(self) -> bool:
        """Whether this is the second turn after a reply that could not be used."""
        return len(self.body["messages"]) > 2

    @property
    def is_confirmation(self) -> bool:
        """Whether this is a confirming question."""
        return '"declared"' not in self.system and "subjectivity:" not in self.system

    @property
    def format(self) -> str:
        """json_schema, json_object or plain."""
        return str(self.body.get("response_format", {}).get("type", "plain"))

    def messages(self) -> list[tuple[int, str, str]]:
        """Index, role and text of each message in the transcript."""
        heads = list(_HEADER.finditer(self.transcript))
        ends = [h.start() for h in heads[1:]] + [self.transcript.index("=== END OF TRANSCRIPT")]
        return [
            (int(h[1]), h[2], self.transcript[h.end() + 1 : end].rstrip("\n"))
            for h, end in zip(heads, ends, strict=True)
        ]


@dataclass(frozen=True)
class Answer:
    """What the server does: answer, refuse, fail, wait or hang up."""

    content: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    refusal: str | None = None
    finish_reason: str = "stop"
    error: dict[str, Any] | None = None
    delay: float = 0.0
    drop: bool = False
    raw: bytes | None = None


Behaviour = Callable[[Asked], Answer]


def build_reply(asked: Asked, **changes: Any) -> dict[str, Any]:
    """A good judge's reply: one supported value from the first assistant message, every declared value absent."""
    index, text = next((i, t) for i, role, t in asked.messages() if role == "assistant")
    reply: dict[str, Any] = {
        "subjectivity": 3,
        "task": "ask for advice",
        "language": "en",
        "ai_values": [
            {
                "value": "clarity",
                "subcategory": "Clarity and precision",
                "adverse": False,
                "message": index,
                "quote": text[:30],
            }
        ],
        "human_values": [],
        "response_type": "mild_support",
        "response_evidence": {"message": index, "quote": text[:30]},
    }
    declared = re.findall(r'^  "([^"]+)" \((?:intended|prohibited)\):', asked.system, re.MULTILINE)
    if declared:
        reply["declared"] = {value: {"state": "absent", "message": -1, "quote": ""} for value in declared}
    return {**reply, **changes}


def good(asked: Asked) -> Answer:
    """Answers every question well; confirms every suspicion with the first assistant message."""
    if asked.is_confirmation:
        index, text = next((i, t) for i, role, t in asked.messages() if role == "assistant")
        return Answer(json.dumps({"answer": "yes", "message": index, "quote": text[:30]}))
    return Answer(json.dumps(build_reply(asked)))


class _QuietServer(ThreadingHTTPServer):
    """A server to which a client that was killed is nothing to print a traceback about."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing."""


class JudgeServer:
    """The server; `behaviour` may be changed while it runs, `asked` holds every request."""

    def __init__(self, behaviour: Behaviour = good) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer._serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base(self) -> str:
        """The address to give as --api-base."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        asked = Asked(body, dict(handler.headers))
        with self._lock:
            self.asked.append(asked)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            answer = self.behaviour(asked)
            time.sleep(answer.delay)
            self._send(handler, asked, answer)
        finally:
            with self._lock:
                self.in_flight -= 1

    def _send(self, handler: BaseHTTPRequestHandler, asked: Asked, answer: Answer) -> None:
        if answer.drop:
            handler.close_connection = True
            handler.connection.shutdown(2)
            return
        if answer.raw is not None:
            content = answer.raw
        elif answer.status != 200:
            content = json.dumps({"error": answer.error or {"message": "scripted failure", "type": "error"}}).encode()
        else:
            content = json.dumps(_completion(asked, answer)).encode()
        try:
            handler.send_response(answer.status)
            handler.send_header("content-type", "application/json")
            handler.send_header("content-length", str(len(content)))
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(content)
        except OSError:
            handler.close_connection = True


def _completion(asked: Asked, answer: Answer) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    return {
        "id": "loopback",
        "object": "chat.completion",
        "created": 1,
        "model": f"{asked.body['model']}-2026-01-01",
        "choices": [{"index": 0, "finish_reason": answer.finish_reason, "message": message}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
