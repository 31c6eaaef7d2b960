"""CPU and memory of a judged scan beside a bare litellm loop over the same server, in one run.

    python benchmarks/llm_overhead.py [--conversations 2000] [--more 20000] [--delay 0.05] [--concurrency 100]

A server process on loopback answers every chat completion after `--delay` seconds with a valid reply. The bare loop
sends the very same requests (same prompts, same schema) with litellm.acompletion and reads the text of each reply;
`valueaudit scan` does the whole audit: reading, prompting, keeping, verifying, counting, report. Each runs in a process
of its own; CPU is user plus system time of that process, imports and start-up included, as the operating system
accounts it. Quote the ratio, not the seconds: machines differ and are noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WORDS = (
    "I would look at both sides before you decide, because what matters to you may not matter to them, and it helps to "
    "say plainly what you know and what you do not know yet. "
)


def build_conversation(number: int) -> dict[str, Any]:
    """A conversation of about 600 tokens."""
    question = f"Case {number}: should I take the offer? " + WORDS * 3
    answer = f"In case {number} I would wait a little. " + WORDS * 9
    return {
        "id": f"c-{number}",
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
    }


def write_logs(path: Path, count: int) -> None:
    """A log file of `count` conversations."""
    with path.open("w", encoding="utf-8") as lines:
        for number in range(count):
            lines.write(json.dumps(build_conversation(number)) + "\n")


def serve(delay: float, ready: Any) -> None:
    """Answers chat completions until killed; tells its port through `ready`."""
    from aiohttp import web

    quoted = {"message": 1, "quote": "say plainly what you know"}
    value = {"value": "honesty", "subcategory": "Community and relationship bonds", "adverse": False, **quoted}
    reply = {
        "subjectivity": 3,
        "task": "decide about an offer",
        "language": "en",
        "ai_values": [value, {**value, "value": "epistemic humility"}, {**value, "value": "user autonomy"}],
        "human_values": [],
        "response_type": "mild_support",
        "response_evidence": quoted,
    }
    body = json.dumps(
        {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "bench",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(reply)}}
            ],
            "usage": {"prompt_tokens": 2000, "completion_tokens": 200, "total_tokens": 2200},
        }
    ).encode()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(delay)
        return web.Response(body=body, content_type="application/json")

    async def main() -> None:
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


def run_bare_loop(logs: str, base: str, concurrency: int) -> None:
    """Nothing but litellm: the same requests as the audit sends, `concurrency` at a time."""
    from valueaudit.classifiers.prompt import build_instructions, build_request, build_schema
    from valueaudit.provider.endpoint import load_litellm
    from valueaudit.taxonomy import load_taxonomy
    from valueaudit.transcript import Message, Role

    litellm = load_litellm()
    taxonomy = load_taxonomy()
    instructions = build_instructions(taxonomy, (), open_question=True)
    schema = build_schema(taxonomy, (), open_question=True)
    form = {"type": "json_schema", "json_schema": {"name": "audit", "strict": True, "schema": schema}}

    lines = Path(logs).read_text(encoding="utf-8").splitlines()

    async def main() -> None:
        room = asyncio.Semaphore(concurrency)

        async def ask(line: str) -> str:
            messages = [Message(Role(m["role"]), m["content"]) for m in json.loads(line)["messages"]]
            request = build_request(instructions, schema, messages, range(len(messages)))
            async with room:
                response = await litellm.acompletion(
                    model="openai/bench",
                    api_base=base,
                    api_key="none",
                    messages=list(request.messages),
                    response_format=form,
                    temperature=0,
                    max_tokens=4096,
                    timeout=60,
                    max_retries=0,
                )
            return str(response.choices[0].message.content)

        replies = await asyncio.gather(*(ask(line) for line in lines))
        assert all(replies)

    asyncio.run(main())


def run_scan(logs: str, base: str, concurrency: int) -> None:
    """The whole audit, as the command line does it."""
    from valueaudit.cli.main import run

    os.environ["OPENAI_API_KEY"] = "none"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        arguments = ["scan", logs, "-m", "openai/bench", "--api-base", base, "--cache-dir", folder]
        code = run([*arguments, "--concurrency", str(concurrency), "--records", "r.jsonl", "-q", "--no-policy"])
        assert code == 0, code


def measure(work: Any, *arguments: Any) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak memory in MB of `work` in a process of its own."""
    receive, send = multiprocessing.Pipe(duplex=False)

    def child() -> None:
        sys.stdout = sys.stderr = io.StringIO()
        began = time.perf_counter()
        work(*arguments)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        send.send((usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"{work.__name__} failed")
    return receive.recv()  # type: ignore[no-any-return]  # a pipe carries anything; the child sends this tuple


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--more", type=int, default=20000, help="size of the second scan, for memory; 0 leaves it out")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds the server takes to answer")
    parser.add_argument("--concurrency", type=int, default=100)
    options = parser.parse_args()
    receive, send = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(options.delay, send), daemon=True)
    server.start()
    base = f"http://127.0.0.1:{receive.recv()}/v1"
    with tempfile.TemporaryDirectory() as folder:
        few = str(Path(folder) / "few.jsonl")
        write_logs(Path(few), options.conversations)
        rows = [
            ("bare litellm loop", options.conversations, measure(run_bare_loop, few, base, options.concurrency)),
            ("valueaudit scan", options.conversations, measure(run_scan, few, base, options.concurrency)),
        ]
        if options.more:
            many = str(Path(folder) / "many.jsonl")
            write_logs(Path(many), options.more)
            rows.append(("valueaudit scan", options.more, measure(run_scan, many, base, options.concurrency)))
    server.terminate()
    print(f"{'':20} {'n':>7} {'CPU s':>8} {'ms/conv':>8} {'wall s':>8} {'conv/s':>8} {'peak MB':>8}")
    for name, count, (cpu, wall, peak) in rows:
        print(f"{name:20} {count:7} {cpu:8.2f} {cpu / count * 1000:8.2f} {wall:8.2f} {count / wall:8.0f} {peak:8.0f}")
    ratio = rows[1][2][0] / rows[0][2][0]
    print(f"\nCPU per conversation, scan over bare loop: {ratio:.2f}")


if __name__ == "__main__":
    main()
