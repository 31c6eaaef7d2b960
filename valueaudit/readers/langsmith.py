"""LangSmith runs, as its SDK posts them and as the platform exports them, as what a model was told and said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from valueaudit.readers.content import name_kind
from valueaudit.readers.format import Format, Record
from valueaudit.readers.growing import Traces
from valueaudit.readers.steps import Step, at, first_text, inside, known, take
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Metadata

_WITHOUT_SPEECH = frozenset({"tool", "retriever", "embedding", "parser", "prompt"})
_LISTS = ("post", "patch", "runs")
_THREADS = ("session_id", "thread_id", "conversation_id")
_EMPTY: tuple[Any, ...] = (None, {}, [], "")


def is_langsmith(value: Any) -> bool:
    """Whether a record is a run, the update of one, or a batch of them."""
    if type(value) is not dict:
        return False
    if "run_type" in value or "dotted_order" in value:
        return "inputs" in value or "outputs" in value or "trace_id" in value
    batches = [value[field] for field in _LISTS if field in value]
    runs = next((batch for batch in batches if batch), None)
    if runs is None:
        return len(batches) > 1 and batches == [[]] * len(batches)
    return type(runs) is list and type(runs[0]) is dict and ("run_type" in runs[0] or "dotted_order" in runs[0])


class LangSmith:
    """Joins what was posted at the start of a run with what was sent at its end, by its id."""

    def __init__(self) -> None:
        self._traces = Traces()
        self._open: dict[str, tuple[dict[str, Any], Location]] = {}

    def feed(self, record: Record) -> Sequence[Item]:
        """What holds no conversation; those wait, because a later run may continue them."""
        empty = True
        for run, location in _find_runs(record):
            empty = False
            if type(run) is dict:
                self._take(run, location)
            else:
                self._traces.settle(BadRecord(location, f"a run is {name_kind(run)}, not an object"))
        if empty:
            self._traces.settle(LeftOut(record.location, "no run in it"))
        return self._traces.drain()

    def close(self) -> Iterator[Item]:
        """Every conversation, and what holds none."""
        for run, location in self._open.values():
            _settle(self._traces, run, location)
        self._open = {}
        return self._traces.close()

    def _take(self, run: dict[str, Any], location: Location) -> None:
        identity = _find_id(run)
        if identity is None:
            _settle(self._traces, run, location)
            return
        before = self._open.pop(identity, None)
        if before is not None:
            run = _merge(before[0], run)
            location = before[1]
        if all(run.get(side) not in _EMPTY for side in ("inputs", "outputs")):
            _settle(self._traces, run, location)
        else:
            self._open[identity] = (run, location)


def _find_runs(record: Record) -> Iterator[tuple[Any, Location]]:
    """The runs of a record with their places, those inside others after them."""
    value, location = record
    batches = [field for field in _LISTS if type(value) is dict and type(value.get(field)) is list]
    if not batches:
        yield from _with_children(value, location)
    for field in batches:
        for index, run in enumerate(value[field]):
            yield from _with_children(run, inside(location, f"/{field}/{index}"))


def _with_children(run: Any, location: Location) -> Iterator[tuple[Any, Location]]:
    yield run, location
    children = run.get("child_runs") if type(run) is dict else None
    for index, child in enumerate(children if type(children) is list else ()):
        yield from _with_children(child, inside(location, f"/child_runs/{index}"))


def _find_id(run: dict[str, Any]) -> str | None:
    """The id of a run; updates by the JavaScript SDK have it only behind the time at the end of `dotted_order`."""
    order = run.get("dotted_order")
    last = order.rpartition(".")[2].partition("Z")[2] if isinstance(order, str) else None
    return first_text(run.get("id"), last)


def _merge(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A run with its update, in which a field that holds nothing changes nothing."""
    return {**before, **{field: value for field, value in after.items() if value not in _EMPTY}}


def _settle(traces: Traces, run: dict[str, Any], location: Location) -> None:
    kind = run.get("run_type")
    if isinstance(kind, str) and kind in _WITHOUT_SPEECH:
        traces.settle(LeftOut(location, f"a run of type {kind}, which holds no speech of its own"))
        return
    metadata = _gather(run)
    step = Step(
        location=location,
        trace=first_text(run.get("trace_id"), _find_id(run)),
        thread=first_text(*(metadata.get(field) for field in _THREADS)),
        identity=_find_id(run),
        asked=run.get("inputs"),
        replied=run.get("outputs"),
        is_call=kind == "llm",
        metadata=metadata,
    )
    take(traces, step)


def _gather(run: dict[str, Any]) -> Metadata:
    """What the run says of itself; the fields of its own `extra.metadata` win."""
    given = at(run, "extra", "metadata")
    own = given if type(given) is dict else {}
    fields = (
        "name",
        "run_type",
        "start_time",
        "end_time",
        "trace_id",
        "parent_run_id",
        "session_name",
        "tags",
        "error",
    )
    gathered = known((field, run.get(field)) for field in fields)
    return known([("model", _find_model(run, own)), ("time", run.get("start_time"))]) | gathered | own


def _find_model(run: dict[str, Any], own: dict[str, Any]) -> str | None:
    """The model that answered, else the one that was asked."""
    asked = at(run, "extra", "invocation_params")
    return first_text(
        at(run, "outputs", "model"),
        at(run, "outputs", "llm_output", "model_name"),
        *_answering(at(run, "outputs", "generations")),
        own.get("ls_model_name"),
        at(run, "inputs", "model"),
        at(asked, "model"),
        at(asked, "model_name"),
    )


def _answering(generations: Any) -> Iterable[Any]:
    while type(generations) is list and generations:
        generations = generations[0]
    for body in (at(generations, "message", "kwargs"), at(generations, "message", "data"), at(generations, "message")):
        yield at(body, "response_metadata", "model_name")


LANGSMITH = Format(
    name="langsmith",
    title="LangSmith runs",
    recognises=is_langsmith,
    start=LangSmith,
    example=(
        '{"id": "r1", "trace_id": "r1", "run_type": "llm", "name": "ChatOpenAI", "start_time": "2026-01-05T10:00:00Z", '
        '"inputs": {"messages": [{"role": "user", "content": "May I return a worn coat?"}], "model": "example-1"}, '
        '"outputs": {"choices": [{"message": {"role": "assistant", "content": "Yes, within 30 days."}}]}}\n'
    ),
)
