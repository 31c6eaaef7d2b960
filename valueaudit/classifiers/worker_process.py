"""The near end of a worker: started, asked, and ended at once, with pipes alone and nothing that others share.

Each worker has pipes of its own. So one that is killed takes along nothing but what it was asked, and there are no
locks and semaphores that could outlive it, as there are in `concurrent.futures.ProcessPoolExecutor`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

from valueaudit.classifiers.worker import HEADER, Task, pack

# Bytes that are handed over at a time, so that a large conversation lies in memory once and not once more on its way.
_PIECE = 1 << 20
# Not `-m`, which looks for modules in the working folder first: there may lie anything.
_SCRIPT = "import sys; sys.path[:] = sys.argv[1:]; from valueaudit.classifiers.worker import main; main()"


class WorkerLostError(Exception):
    """A worker has ended, or could not be started; the message says how."""


class WorkerProcess:
    """A worker that runs; satisfies `pool.Worker`."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._process.pid

    async def send(self, frame: bytearray) -> None:
        """Hands over what `worker.pack` made. To a worker that has gone nothing is sent: `receive` tells it."""
        view = memoryview(frame)
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(view), _PIECE):
                self._stdin.write(view[at : at + _PIECE])
                await self._stdin.drain()

    async def receive(self) -> bytes:
        """The next content. Raises `WorkerLostError`."""
        try:
            (size,) = HEADER.unpack(await self._stdout.readexactly(HEADER.size))
            return await self._stdout.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerLostError(_describe(await self._process.wait())) from error

    async def close(self) -> None:
        """Ends it at once, whatever it does."""
        self._stdin.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        # `wait` waits for the pipes too, and a full one is left alone until it is read
        await self._stdout.read()
        await self._process.wait()


@contextlib.asynccontextmanager
async def start_worker(task: Task) -> AsyncIterator[WorkerProcess]:
    """A worker that was given this task, ended when it is left. Raises `WorkerLostError`."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _SCRIPT, *sys.path),
            stdin=PIPE,
            stdout=PIPE,
            limit=_PIECE,
            # an interruption from the keyboard goes to the whole group: it is not for the workers
            process_group=0,
        )
    except OSError as error:
        raise WorkerLostError(f"cannot be started: {error.strerror}") from error
    worker = WorkerProcess(process)
    try:
        await worker.send(pack(task))
        yield worker
    finally:
        await worker.close()


def _describe(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
