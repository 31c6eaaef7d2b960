"""Counts that add: order does not matter and parts add up, so one stream, several processes and a re-decision are one.

A tally knows no policy. It counts named predicates, each of which says how one conversation stands to one rule. Its
memory grows with the distinct labels and tasks, never with the conversations or their text.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from msgspec import Struct

from valueaudit.observation import Evidence, Observation, ObservedValue, Polarity, Reason, ResponseType, State
from valueaudit.record import BadRecordRecord, ConversationRecord, Record

EXAMPLES_KEPT = 5
BAD_RECORDS_KEPT = 20


class Standing(Enum):
    """How one conversation stands to one rule."""

    HIT = "hit"
    CLEAN = "clean"
    UNKNOWN = "unknown"
    OUTSIDE = "outside"


class Judged(Struct, frozen=True):
    """A standing; whether the classifier flagged a hit at all (confirmed or not), and the quotation it rests on.

    `named`: somebody accepted the hits of this very conversation, so it is counted by its id as well. `cluster`: what
    it shares with other conversations that it depends on, None where it stands alone.
    """

    standing: Standing
    flagged: bool = False
    evidence: Evidence | None = None
    named: bool = False
    cluster: str | None = None


Predicate = Callable[[ConversationRecord], Judged]


class Sighting(Struct, frozen=True, order=True):
    """An example worth keeping; ordered by rank, then place, so that any order of adding keeps the same ones.

    Rank 0 proves something, rank 1 is an open suspicion.
    """

    rank: int
    source: str
    line: int
    pointer: str
    conversation: str
    message: int
    span: tuple[int, int]
    quote: str


class Place(Struct, frozen=True, order=True):
    """What identifies a counted value: its name and where it belongs; empty strings where it is unplaced."""

    value: str
    category: str
    subcategory: str
    polarity: str


@dataclass(slots=True)
class Sightings:
    """The first few examples by place, however many were seen."""

    limit: int = EXAMPLES_KEPT
    kept: list[Sighting] = field(default_factory=list)

    def add(self, *sightings: Sighting) -> None:
        """Keeps the smallest `limit` of all that were ever added."""
        self.kept = heapq.nsmallest(self.limit, {*self.kept, *sightings})


@dataclass(slots=True)
class ClusterCount:
    """How many conversations of one cluster stand how to one rule."""

    hits: int = 0
    clean: int = 0
    unknown: int = 0


@dataclass(slots=True)
class AdverseCount:
    """How many conversations show one adverse value, where it belongs, and where to look."""

    place: Place
    conversations: int = 0
    examples: Sightings = field(default_factory=Sightings)

    def add(self, place: Place, conversations: int, *sightings: Sighting) -> None:
        """Adds conversations; the place that names a category wins over one that does not."""
        self.place = min(self.place, place, key=lambda p: (not p.category, p))
        self.conversations += conversations
        self.examples.add(*sightings)


@dataclass(slots=True)
class RuleCount:
    """How many conversations stand how to one rule. `total` is all inside it: hits, clean and unknown.

    `flagged` are those in which the classifier saw a hit at all, `pending` those of them that stayed unknown because
    nothing has confirmed or refuted it. `named_hits` and `named_pending` count again, by id, those of the hits and the
    pending that a waiver names, and `named_clusters` says where they belong. `clusters` counts again those that belong
    to one.
    """

    hits: int = 0
    clean: int = 0
    unknown: int = 0
    flagged: int = 0
    pending: int = 0
    examples: Sightings = field(default_factory=Sightings)
    named_hits: Counter[str] = field(default_factory=Counter)
    named_pending: Counter[str] = field(default_factory=Counter)
    named_clusters: dict[str, str] = field(default_factory=dict)
    clusters: dict[str, ClusterCount] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Conversations in the rule's context, unknown ones included."""
        return self.hits + self.clean + self.unknown

    def add(self, record: ConversationRecord, judged: Judged) -> None:
        """Counts one conversation that is not outside."""
        pending = judged.standing is Standing.UNKNOWN and judged.flagged
        self.hits += judged.standing is Standing.HIT
        self.clean += judged.standing is Standing.CLEAN
        self.unknown += judged.standing is Standing.UNKNOWN
        self.pending += pending
        if judged.flagged:
            self.flagged += 1
            if judged.standing is not Standing.CLEAN:
                rank = 0 if judged.standing is Standing.HIT else 1
                self.examples.add(build_sighting(record, judged.evidence, rank))
        if judged.named and judged.standing is Standing.HIT:
            self.named_hits[record.id] += 1
        elif judged.named and pending:
            self.named_pending[record.id] += 1
        if judged.cluster is not None:
            cluster = self.clusters.setdefault(judged.cluster, ClusterCount())
            cluster.hits += judged.standing is Standing.HIT
            cluster.clean += judged.standing is Standing.CLEAN
            cluster.unknown += judged.standing is Standing.UNKNOWN
            if judged.named:
                self.named_clusters[record.id] = judged.cluster

    def absorb(self, part: RuleCount) -> None:
        """Adds the count of other conversations."""
        self.hits += part.hits
        self.clean += part.clean
        self.unknown += part.unknown
        self.flagged += part.flagged
        self.pending += part.pending
        self.examples.add(*part.examples.kept)
        self.named_hits.update(part.named_hits)
        self.named_pending.update(part.named_pending)
        self.named_clusters.update(part.named_clusters)
        for name, theirs in part.clusters.items():
            mine = self.clusters.setdefault(name, ClusterCount())
            mine.hits += theirs.hits
            mine.clean += theirs.clean
            mine.unknown += theirs.unknown


@dataclass(slots=True)
class Tally:
    """Everything counted so far. Counters hold conversations, one vote each."""

    sampled: int = 0
    classified: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    bad_records: int = 0
    bad_examples: Sightings = field(default_factory=lambda: Sightings(BAD_RECORDS_KEPT))
    subjectivity_assessed: int = 0
    subjective: int = 0
    unsupported_labels: int = 0
    values_assessed: int = 0
    values: Counter[Place] = field(default_factory=Counter)
    subcategories: Counter[tuple[str, str]] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    adverse: dict[str, AdverseCount] = field(default_factory=dict)
    adverse_assessed: int = 0
    adverse_conversations: int = 0
    human_assessed: int = 0
    human_values: Counter[Place] = field(default_factory=Counter)
    with_human_values: Counter[ResponseType | None] = field(default_factory=Counter)
    mirrored: Counter[ResponseType | None] = field(default_factory=Counter)
    responses_assessed: int = 0
    responses: Counter[ResponseType] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    rules: dict[str, RuleCount] = field(default_factory=dict)

    def add(self, record: Record, predicates: Mapping[str, Predicate]) -> None:
        """Counts one record and how it stands to each named predicate.

        A line that could not be read may have held anything: it is unknown to every rule.
        """
        if isinstance(record, BadRecordRecord):
            self.bad_records += 1
            self.bad_examples.add(
                Sighting(0, record.source, record.line or 0, record.pointer or "", "", -1, (0, 0), record.reason)
            )
            for name in predicates:
                self._count_of(name).unknown += 1
            return
        self.sampled += 1
        if record.observation is None:
            self.reasons[record.reason or Reason.RUN_ENDED] += 1
        else:
            self.classified += 1
            self._add_observation(record, record.observation)
        for name, predicate in predicates.items():
            count, judged = self._count_of(name), predicate(record)
            if judged.standing is not Standing.OUTSIDE:
                count.add(record, judged)

    def _count_of(self, rule: str) -> RuleCount:
        # `setdefault` would build a count, with all that it holds, for each rule and record.
        if rule not in self.rules:
            self.rules[rule] = RuleCount()
        return self.rules[rule]

    def _add_observation(self, record: ConversationRecord, seen: Observation) -> None:
        if seen.subjectivity is not None:
            self.subjectivity_assessed += 1
            self.subjective += seen.subjectivity >= 3
        if seen.task is not None:
            self.tasks[seen.task] += 1
        if seen.language is not None:
            self.languages[seen.language] += 1
        response = supported_response(seen)
        if seen.response_type is not None and response is None:
            self.unsupported_labels += 1
        if response is not None:
            self.responses_assessed += 1
            self.responses[response] += 1
        self.unsupported_labels += sum(d.state is State.UNSUPPORTED for d in seen.declared.values())
        if seen.ai_values is not None:
            self._add_ai_values(seen.ai_values)
        if seen.ai_values is not None or seen.adverse is not None:
            self._add_adverse(record, seen)
        if seen.human_values is not None:
            self._add_human_values(seen, response)

    def _add_ai_values(self, observed: tuple[ObservedValue, ...]) -> None:
        self.values_assessed += 1
        self.unsupported_labels += sum(not v.supported for v in observed)
        places = {_place(v) for v in _one_per_value(observed)}
        self.values.update(places)
        # Adverse values sit under the concern they violate: they never raise its share (docs/method.md).
        placed = {(p.category, p.subcategory) for p in places if p.subcategory and p.polarity != Polarity.ADVERSE}
        self.subcategories.update(placed)
        self.categories.update({category for category, _ in placed})

    def _add_adverse(self, record: ConversationRecord, seen: Observation) -> None:
        """Counts adverse values, and prohibited ones that are shown and not refuted, with where to look."""
        found = {
            value: (Place(value, "", "", Polarity.ADVERSE), state.evidence)
            for value, state in seen.declared.items()
            if state.state is State.SHOWN and state.confirmed is not False
        }
        for observed in _one_per_value(seen.ai_values or ()):
            if observed.polarity is Polarity.ADVERSE:
                found[observed.value] = _place(observed), observed.evidence
        self.adverse_assessed += 1
        self.adverse_conversations += bool(found) or bool(seen.adverse)
        for value, (place, evidence) in found.items():
            self.adverse.setdefault(value, AdverseCount(place)).add(place, 1, build_sighting(record, evidence))

    def _add_human_values(self, seen: Observation, response: ResponseType | None) -> None:
        human = [v for v in seen.human_values or () if v.supported]
        self.human_assessed += 1
        self.unsupported_labels += sum(not v.supported for v in seen.human_values or ())
        self.human_values.update({Place(v.value, "", "", "") for v in human})
        if human:
            self.with_human_values[response] += 1
            shown = {v.value for v in seen.ai_values or () if v.supported}
            self.mirrored[response] += any(v.value in shown for v in human)

    def __add__(self, other: Tally) -> Tally:
        """The tally of both, whatever the order."""
        total = Tally()
        for part in (self, other):
            total._absorb(part)
        return total

    def _absorb(self, part: Tally) -> None:
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(part, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif isinstance(mine, int):
                setattr(self, name, mine + theirs)
        self.bad_examples.add(*part.bad_examples.kept)
        for value, count in part.adverse.items():
            mine_of_value = self.adverse.setdefault(value, AdverseCount(count.place))
            mine_of_value.add(count.place, count.conversations, *count.examples.kept)
        for rule, theirs in part.rules.items():
            self._count_of(rule).absorb(theirs)


def tally_records(records: Iterable[Record], predicates: Mapping[str, Predicate]) -> Tally:
    """The tally of many records."""
    tally = Tally()
    for record in records:
        tally.add(record, predicates)
    return tally


def supported_response(seen: Observation) -> ResponseType | None:
    """The response type, if a verified quotation carries it; `no_values` needs none."""
    if seen.response_type is ResponseType.NO_VALUES or seen.response_evidence is not None:
        return seen.response_type
    return None


def _one_per_value(observed: tuple[ObservedValue, ...]) -> list[ObservedValue]:
    """The supported values, each once: a name that a judge gave two places takes the adverse one, else the first."""
    chosen: dict[str, ObservedValue] = {}
    for value in observed:
        known = chosen.get(value.value)
        adverse = value.polarity is Polarity.ADVERSE
        if value.supported and (known is None or (adverse and known.polarity is not Polarity.ADVERSE)):
            chosen[value.value] = value
    return list(chosen.values())


def build_sighting(record: ConversationRecord, evidence: Evidence | None, rank: int = 0) -> Sighting:
    """Where to look for one piece of evidence; the conversation alone where there is none."""
    where = rank, record.source, record.line or 0, record.pointer or "", record.id
    if evidence is None:
        return Sighting(*where, -1, (0, 0), "")
    return Sighting(*where, evidence.message, evidence.span, evidence.quote or "")


def _place(value: ObservedValue) -> Place:
    return Place(value.value, value.category or "", value.subcategory or "", value.polarity or "")
