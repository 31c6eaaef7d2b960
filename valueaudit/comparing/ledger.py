"""How each conversation of one side stands to each figure, so that two sides can be laid over each other.

A ledger holds a few bytes for each conversation, and the values shown in it; no text, no evidence.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from valueaudit.observation import Observation, Polarity, ResponseType, State
from valueaudit.record import BadRecordRecord, ConversationRecord, Record
from valueaudit.tally import Predicate, Standing, supported_response

# What a figure is called: its kind, and its name within the kind.
Key = tuple[str, str]

VALUES = "values"
ADVERSE = "adverse"
RESPONSE_TYPES = "response_types"
ADVERSE_CONVERSATIONS: Key = ("adverse_conversations", "any adverse value")
RULE = "rule"

_ORDER = (Standing.HIT, Standing.CLEAN, Standing.UNKNOWN, Standing.OUTSIDE)
_CODES = {standing: code for code, standing in enumerate(_ORDER)}
_HIT, _CLEAN, _UNKNOWN, _OUTSIDE = range(4)


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation: a code for each dense figure, codes for the values that it names, and one for all others."""

    dense: bytes
    named: tuple[tuple[Key, int], ...]
    others: int


@dataclass(frozen=True, slots=True)
class Stand:
    """How many conversations of one side stand how to one figure."""

    hits: int
    clean: int
    unknown: int

    @property
    def total(self) -> int:
        """Conversations inside the figure, unknown ones included."""
        return self.hits + self.clean + self.unknown


@dataclass(frozen=True, slots=True)
class PairTable:
    """How many pairs stand how in BASE and in NEW; pairs that are outside on both sides are left out."""

    cells: Mapping[tuple[Standing, Standing], int]

    def count(self, base: Iterable[Standing], new: Iterable[Standing]) -> int:
        """Pairs that stand in one of these ways in BASE and in one of those in NEW."""
        return sum(self.cells.get((old, now), 0) for old in base for now in new)

    @property
    def total(self) -> int:
        """All pairs."""
        return sum(self.cells.values())

    @property
    def unknown(self) -> int:
        """Pairs of which one half or both are unknown."""
        return sum(n for cell, n in self.cells.items() if Standing.UNKNOWN in cell)

    @property
    def is_split(self) -> bool:
        """Whether some pair has one half inside the figure and the other outside: then it is no pair for it."""
        return any(n and Standing.OUTSIDE in cell for cell, n in self.cells.items())


@dataclass(slots=True)
class Ledger:
    """The conversations of one side. `predicates` are the rules by id, in the order of their codes.

    `intended` are values of which a claim without its quotation is no suspicion of anything adverse.
    """

    predicates: Mapping[str, Predicate]
    intended: frozenset[str] = frozenset()
    rows: dict[str, Row] = field(default_factory=dict)
    spare: list[Row] = field(default_factory=list)
    duplicates: int = 0
    bad_records: int = 0
    _twice: set[str] = field(default_factory=set)

    @property
    def dense_keys(self) -> tuple[Key, ...]:
        """The figures that every row has a code for."""
        rules = ((RULE, name) for name in self.predicates)
        return (*rules, ADVERSE_CONVERSATIONS, *((RESPONSE_TYPES, kind.value) for kind in ResponseType))

    @property
    def total(self) -> int:
        """All conversations and bad records."""
        return len(self.rows) + len(self.spare)

    def add(self, record: Record) -> None:
        """Notes one record. A bad record is unknown to everything; an id seen twice belongs to no pair."""
        if isinstance(record, BadRecordRecord):
            self.bad_records += 1
            self.spare.append(self._blank())
            return
        row = self._build_row(record)
        if record.id in self._twice:
            self.duplicates += 1
            self.spare.append(row)
        elif record.id in self.rows:
            self.duplicates += 2
            self._twice.add(record.id)
            self.spare += (self.rows.pop(record.id), row)
        else:
            self.rows[record.id] = row

    def follow(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records as they come, each noted on its way."""
        for record in records:
            self.add(record)
            yield record

    def __iter__(self) -> Iterator[Row]:
        yield from self.rows.values()
        yield from self.spare

    def stands(self) -> dict[Key, Stand]:
        """How many stand how to each figure that any row names."""
        dense: list[Counter[int]] = [Counter() for _ in self.dense_keys]
        others: Counter[int] = Counter()
        named: dict[Key, Counter[int]] = {}
        for row in self:
            for counter, code in zip(dense, row.dense, strict=True):
                counter[code] += 1
            others[row.others] += 1
            for key, code in row.named:
                counter = named.setdefault(key, Counter())
                counter[code] += 1
                counter[row.others] -= 1
        return {
            **{key: _stand(counter) for key, counter in zip(self.dense_keys, dense, strict=True)},
            **{key: _stand(counter, others) for key, counter in named.items()},
        }

    def stand_of_unnamed(self) -> Stand:
        """How they stand to a value that no row names."""
        return _stand(Counter(row.others for row in self))

    def _blank(self) -> Row:
        return Row(bytes([_UNKNOWN]) * len(self.dense_keys), (), _UNKNOWN)

    def _build_row(self, record: ConversationRecord) -> Row:
        seen = record.observation
        rules = [_CODES[predicate(record).standing] for predicate in self.predicates.values()]
        response = None if seen is None else supported_response(seen)
        responses = [_UNKNOWN if response is None else _HIT if kind is response else _CLEAN for kind in ResponseType]
        named = {} if seen is None else _name_values(seen, self.intended)
        adverse = _UNKNOWN if seen is None else _judge_adverse(seen, named)
        others = _UNKNOWN if seen is None or seen.ai_values is None else _CLEAN
        return Row(bytes([*rules, adverse, *responses]), tuple(sorted(named.items())), others)


def lay_over(base: Ledger, new: Ledger) -> tuple[dict[Key, PairTable], PairTable]:
    """For each figure the pairs by how they stand in BASE and NEW, and the same for a value that no row names.

    A conversation without a partner makes a pair whose other half is unknown: leaving it out could hide what it shows.
    """
    dense: list[Counter[tuple[int, int]]] = [Counter() for _ in base.dense_keys]
    others: Counter[tuple[int, int]] = Counter()
    named: dict[Key, Counter[tuple[int, int]]] = {}
    for old, now in _pair(base, new):
        for counter, cell in zip(dense, zip(old.dense, now.dense, strict=True), strict=True):
            counter[cell] += 1
        default = old.others, now.others
        others[default] += 1
        codes_old, codes_now = dict(old.named), dict(now.named)
        for key in codes_old.keys() | codes_now.keys():
            counter = named.setdefault(key, Counter())
            counter[codes_old.get(key, old.others), codes_now.get(key, now.others)] += 1
            counter[default] -= 1
    tables = {key: _table(counter) for key, counter in zip(base.dense_keys, dense, strict=True)}
    tables |= {key: _table(counter, others) for key, counter in named.items()}
    return tables, _table(others)


def _pair(base: Ledger, new: Ledger) -> Iterator[tuple[Row, Row]]:
    for name, row in base.rows.items():
        yield row, new.rows.get(name) or _partner_of(row)
    for name, row in new.rows.items():
        if name not in base.rows:
            yield _partner_of(row), row
    for row in base.spare:
        yield row, _partner_of(row)
    for row in new.spare:
        yield _partner_of(row), row


def _partner_of(row: Row) -> Row:
    """The half that is missing: unknown, but outside what the half that is there is outside of."""
    return Row(bytes(_OUTSIDE if code == _OUTSIDE else _UNKNOWN for code in row.dense), (), _UNKNOWN)


def _name_values(seen: Observation, intended: frozenset[str]) -> dict[Key, int]:
    """The values with evidence as hits; one that is claimed without evidence only is unknown.

    A prohibited value is adverse where it is shown: a hit if further questions agreed, unknown until they are answered.
    """
    named: dict[Key, int] = {}
    for value in seen.ai_values or ():
        key = ADVERSE if value.polarity is Polarity.ADVERSE else VALUES, sys.intern(value.value)
        named[key] = _HIT if value.supported else named.get(key, _UNKNOWN)
    for name, declared in seen.declared.items():
        key = ADVERSE, sys.intern(name)
        is_pending = declared.state is State.SHOWN and declared.confirmed is None
        is_doubted = declared.state is State.UNSUPPORTED and name not in intended
        if declared.state is State.SHOWN and declared.confirmed:
            named[key] = _HIT
        elif is_pending or is_doubted:
            named.setdefault(key, _UNKNOWN)
    for name in [name for (kind, name), code in named.items() if kind == ADVERSE and code == _HIT]:
        # A name that a judge gave two places counts where it is adverse.
        named.pop((VALUES, name), None)
    return named


def _judge_adverse(seen: Observation, named: Mapping[Key, int]) -> int:
    codes = {code for (kind, _), code in named.items() if kind == ADVERSE}
    if seen.adverse or _HIT in codes:
        return _HIT
    is_assessed = seen.adverse is not None or seen.ai_values is not None
    return _CLEAN if is_assessed and _UNKNOWN not in codes else _UNKNOWN


def _stand(*counters: Counter[int]) -> Stand:
    hits, clean, unknown = (sum(counter[code] for counter in counters) for code in (_HIT, _CLEAN, _UNKNOWN))
    return Stand(hits, clean, unknown)


def _table(*counters: Counter[tuple[int, int]]) -> PairTable:
    cells: Counter[tuple[Standing, Standing]] = Counter()
    for counter in counters:
        for (old, now), count in counter.items():
            if (old, now) != (_OUTSIDE, _OUTSIDE):
                cells[_ORDER[old], _ORDER[now]] += count
    return PairTable(cells)
