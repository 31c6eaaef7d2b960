from __future__ import annotations

import gzip
import io
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import build_record, observe

from valueaudit.errors import InputError
from valueaudit.files import Opened
from valueaudit.observation import State
from valueaudit.record import (
    BadRecordRecord,
    ClassifierInfo,
    ConversationRecord,
    Cost,
    Coverage,
    FooterRecord,
    HeaderRecord,
    InputInfo,
    Record,
    RecordLine,
    Sampling,
    TaxonomyInfo,
    ToolInfo,
    encode_line,
)
from valueaudit.saved import SavedRun, find_less_confirmed, find_unasked, restrict_predicates
from valueaudit.tally import Judged, Standing

HEADER = HeaderRecord(
    "1.0", ToolInfo("valueaudit", "0"), ("logs.jsonl",), ClassifierInfo("m"), TaxonomyInfo("t", "0"), None, Sampling()
)
RECORDS: tuple[Record, ...] = (
    build_record(observe(clarity=State.UPHELD), line=1),
    build_record(None, line=2),
    build_record(observe(clarity=State.UPHELD), line=1),
    BadRecordRecord("logs.jsonl", 4, None, "no JSON"),
)


def build_footer(sampled: int = 3, classified: int = 2, bad_records: int = 1) -> FooterRecord:
    """The footer of `RECORDS`, unless it lies."""
    coverage = Coverage(sampled, sampled, classified, sampled - classified, bad_records, 0, 0, {}, 1)
    inputs = (InputInfo("logs.jsonl", "abc", "chat", 3, 1),)
    return FooterRecord(inputs, coverage, ClassifierInfo("m", "m-2"), Cost(calls=3), "s", "f")


def read(*lines: RecordLine | bytes) -> tuple[SavedRun, list[Record]]:
    """The run in a file of these lines, and its records."""
    saved = SavedRun("r.jsonl", [line if isinstance(line, bytes) else encode_line(line) for line in lines])
    return saved, list(saved)


def test_a_whole_run_is_read_back() -> None:
    """Records come in their order, and what the footer says is there once they have come."""
    saved, records = read(HEADER, *RECORDS, build_footer())
    assert tuple(records) == RECORDS
    assert (saved.classifier.resolved_model, saved.cost.calls, saved.finished) == ("m-2", 3, "f")
    assert (saved.ended_early, saved.duplicate_ids) == (None, 1)
    assert saved.inputs[0].sha256 == "abc"


def test_a_run_without_a_footer_did_not_end() -> None:
    """What is known is what the header and the records tell, and the reason stands for an incomplete verdict."""
    saved, records = read(HEADER, *RECORDS)
    assert tuple(records) == RECORDS
    assert "no footer" in (saved.ended_early or "")
    assert (saved.classifier.model, saved.cost, saved.finished) == ("m", Cost(), None)
    assert saved.inputs == (InputInfo("logs.jsonl", None, "unknown", 3, 1),)


def test_blank_lines_are_no_records() -> None:
    """A file that was put through an editor is still the same run."""
    assert len(read(b"\n", HEADER, b"  \n", *RECORDS, build_footer(), b"\n")[1]) == 4


CUT = encode_line(RECORDS[0])[:-9]
REFUSED: tuple[tuple[tuple[RecordLine | bytes, ...], str], ...] = (
    ((), '"r.jsonl" is empty'),
    ((b"\n\n",), '"r.jsonl" is empty'),
    ((b"hello\n",), "no records file of valueaudit"),
    ((b"[1]\n",), "no records file of valueaudit"),
    ((b'{"messages":[]}\n',), "no records file of valueaudit"),
    ((RECORDS[0], HEADER), 'but with "conversation"'),
    ((msgspec.structs.replace(HEADER, schema_version="1.1"),), "schema version 1.1, this program knows up to 1.0"),
    ((b'{"kind":"header","schema_version":"2.0","wholly":"new"}\n',), "schema version 2.0"),
    ((b'{"kind":"header","schema_version":"new"}\n',), 'the schema version "new", which is none'),
    ((b'{"kind":"header"}\n',), 'the schema version "", which is none'),
    ((b'{"kind":"header","schema_version":"1.0"}\n',), "line 1: is no record"),
    ((b"[" * 100_000 + b"\n",), "no records file of valueaudit"),
    ((HEADER, b'{"kind":"conversation","metadata":{"a":' + b"[" * 100_000 + b"\n"), "line 2: is no record"),
    ((HEADER, CUT), "line 2: is cut off"),
    ((HEADER, CUT + b"\n", RECORDS[0]), "line 2: is damaged"),
    ((HEADER, b'{"kind":"verdict"}\n'), "line 2: is no record"),
    ((HEADER, HEADER), "line 2: has a second header"),
    ((HEADER, *RECORDS, build_footer(), RECORDS[0]), "line 7: goes on after its footer"),
    ((HEADER, *RECORDS[1:], build_footer()), "holds 2 conversations, and its footer counts 3"),
    ((HEADER, *RECORDS[:3], build_footer()), "holds 0 bad records, and its footer counts 1"),
    ((HEADER, *RECORDS, build_footer(classified=3)), "holds 2 classified conversations, and its footer counts 3"),
)


@pytest.mark.parametrize(("lines", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_trusted_is_refused(lines: tuple[RecordLine | bytes, ...], said: str) -> None:
    """A file of another or a newer program, cut off, mixed or changed is told as that, and nothing is decided on it."""
    with pytest.raises(InputError) as caught:
        read(*lines)
    assert said in caught.value.message
    assert caught.value.help


def test_damaged_compression_is_told() -> None:
    """A file that cannot be unpacked to its end is an input error, not a run that ended early."""
    packed = gzip.compress(b"".join(encode_line(line) for line in (HEADER, *RECORDS)))
    opened = Opened("r.jsonl.gz", io.BytesIO(packed[:-12]).read)
    with pytest.raises(InputError, match="cannot be read further"):
        list(SavedRun(opened.name, opened.stream))


@given(st.permutations(RECORDS))
def test_the_order_of_the_records_does_not_matter(records: Iterable[Record]) -> None:
    """Everything that is known of a run is the same in any order of its records."""
    saved, _ = read(HEADER, *records, build_footer())
    assert saved.duplicate_ids == 1


def test_values_are_asked_only_in_the_same_words() -> None:
    """Another kind of question, another wording or none at all: the value was not asked."""
    asked = ClassifierInfo("m", questions={"same": "1", "reworded": "2"}, confirmations={"same": 1})
    assert find_unasked(asked, {"same": "1", "reworded": "3", "new": "4"}) == ("new", "reworded")
    assert find_unasked(asked, {}) == ()


def test_confirmations_count_up_to_the_number_that_was_asked() -> None:
    """More questions than demanded serve, fewer do not; a file that does not say had at least one."""
    asked = ClassifierInfo("m", confirmations={"a": 2, "b": 0})
    assert find_less_confirmed(asked, {"a": 2, "b": 1, "c": 1, "d": 2}) == ("b", "d")
    assert find_less_confirmed(asked, {"a": 1, "b": 0}) == ()


def test_rules_see_records_as_the_policy_would_have_asked() -> None:
    """Unasked values are gone, too little confirmed hits are open, everything else stays as it is."""
    shown: list[ConversationRecord] = []

    def look(record: ConversationRecord) -> Judged:
        shown.append(record)
        return Judged(Standing.CLEAN)

    seen = observe(True, deception=State.SHOWN, cruelty=State.SHOWN, clarity=State.UPHELD)
    looks = restrict_predicates({"a": look, "b": look}, unasked=["clarity"], less_confirmed=["deception"])
    record = build_record(seen)
    for name in looks:
        looks[name](record)
    looks["a"](build_record(None))
    first, second, unclassified = shown
    assert first.observation is not None
    confirmed = {value: state.confirmed for value, state in first.observation.declared.items()}
    assert confirmed == {"deception": None, "cruelty": True}
    assert second is first
    assert unclassified.observation is None


def test_rules_see_records_themselves_where_nothing_was_asked_otherwise() -> None:
    """Nothing stands between."""
    looks = {"a": lambda record: Judged(Standing.CLEAN)}
    assert restrict_predicates(looks, unasked=(), less_confirmed=()) is looks
