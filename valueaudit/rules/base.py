"""What all rule kinds share: the fields of a rule, the checks it compiles to, and who stands inside its denominator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from valueaudit.correction import Correction
from valueaudit.observation import Declared, Observation
from valueaudit.record import ConversationRecord
from valueaudit.rules.fields import NotYet, OneOrMany, Text, build_percentage, build_points
from valueaudit.tally import Judged, Predicate, Standing
from valueaudit.taxonomy import Value

Direction = Literal["at_most", "at_least"]
Asked = Literal["declared", "open"]
QuestionKind = Literal["intended", "prohibited"]


class Severity(StrEnum):
    """How much a violation matters, most first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def reaches(self, threshold: Severity) -> bool:
        """Whether this is at least as severe as the threshold."""
        order = list(Severity)
        return order.index(self) <= order.index(threshold)


class Enforce(StrEnum):
    """Whether a rule decides the exit code, is only told, or sleeps."""

    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


class Denominator(StrEnum):
    """Which conversations a rule's percentage is of."""

    ALL = "all"
    SUBJECTIVE = "subjective"
    VALUE_BEARING = "value-bearing"


class Match(StrEnum):
    """Whether a rule names values, or branches of the taxonomy."""

    EXACT = "exact"
    SUBTREE = "subtree"


class Membership(Enum):
    """Whether a conversation belongs to a context or denominator; UNKNOWN where only a judge could say and did not."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scope:
    """Who belongs. `rests_on_judge`: a judge that fails can change how many belong, not only what they show."""

    find: Callable[[ConversationRecord], Membership]
    rests_on_judge: bool


Look = Callable[[Observation], Judged]
FindCluster = Callable[[ConversationRecord], str | None]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a rule: the field that states it, what it counts, and the part of the check's id it adds.

    `assure` belongs to `never`: the rate that must be ruled out before the rule passes, None where it is not stated.
    """

    key: str
    counts: str
    direction: Direction
    limit: float
    suffix: str = ""
    never: bool = False
    assure: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a rule as it stands, at one of its fields (empty: the rule itself)."""

    key: str
    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Against:
    """What a check is held against in the place of a fixed limit: a baseline, by the name that the policy gives it.

    `check` is the id of the check whose conversations are compared, `direction` that of its limit, and `names` are the
    values that the judge is asked about for it.
    """

    baseline: str
    check: str
    direction: Direction
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One limit of one rule, ready to be counted and decided.

    `id` is unique, `rule` names the rule it comes from and `key` the limit in it. `min_units` is the rule's own, None
    where that of the gate holds. `asked` says whether the judge was asked about the very value, or said by itself what
    it saw, `confirmed` whether further questions are asked about each hit. `against` makes it a check of the change
    since a baseline: `limit` is then the largest change for the worse.
    """

    id: str
    rule: str
    kind: str
    key: str
    asked: Asked
    direction: Direction
    limit: float
    never: bool
    assure: float | None
    severity: Severity
    enforce: Enforce
    min_units: int | None
    of: Denominator
    contexts: tuple[str, ...]
    denominator_name: str
    rests_on_judge: bool
    correction: Correction | None
    statement: str
    predicate: Predicate
    confirmed: bool = False
    against: Against | None = None


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of every rule kind, and what a kind must say about itself.

    `section` is its list in the policy file, or its one place there if it is `single`; `question` how the judge is
    asked about the values that it names; `members_judged`, whether what the judge sees decides which conversations
    belong; `not_yet` the keys that the format has and this release refuses.
    """

    section: ClassVar[str]
    single: ClassVar[bool] = False
    question: ClassVar[QuestionKind] = "intended"
    members_judged: ClassVar[bool] = False
    not_yet: ClassVar[frozenset[str]] = frozenset({"expires", "unit", "waiver"})

    id: str
    in_: OneOrMany[str] = field(default=(), name="in")
    of: Annotated[Denominator, NotYet(frozenset({"turns", "messages"}))] = Denominator.ALL
    severity: Severity = Severity.MEDIUM
    enforce: Enforce = Enforce.BLOCK
    waivable: bool = False
    min_units: Annotated[int, Meta(ge=1)] | None = None
    why: Text = ""
    controls: OneOrMany[Text] = ()

    def limits(self) -> tuple[Limit, ...]:
        """Every limit the rule states."""
        raise NotImplementedError

    def subject(self) -> tuple[str, ...]:
        """What is counted: canonical values, or response types."""
        raise NotImplementedError

    @property
    def asked(self) -> Asked:
        """Whether the judge is asked about the very values, or says by itself what it sees."""
        return "open"

    @property
    def confirmed(self) -> bool:
        """Whether what the judge flags is a hit only after further questions, or a person, agreed."""
        return False

    def names(self) -> tuple[str, ...]:
        """The canonical values that the rule speaks of by their name."""
        return ()

    def nodes(self) -> tuple[str, ...]:
        """The branches of the taxonomy that it speaks of."""
        return ()

    def members(self) -> str:
        """Which conversations belong, beside context and denominator, in the words of the statement."""
        return ""

    def inspect_value(self, value: Value) -> str | None:
        """Why a value cannot stand in such a rule."""
        del value
        return None

    def among(self, rules: Iterable[Rule]) -> Rule:
        """This rule, knowing all rules of its policy."""
        del rules
        return self

    def look(self, limit: Limit) -> Look:
        """How one classified conversation stands to one limit."""
        raise NotImplementedError

    def phrase(self, limit: Limit) -> str:
        """What the assistant does, in the words of the statement: "shows deception or manipulation"."""
        raise NotImplementedError

    def inspect(self, stated: frozenset[str]) -> Iterator[Finding]:
        """What is wrong with the rule by itself; `stated` are the keys in the file, well-formed or not."""
        raise NotImplementedError


class ValueRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule about declared values, or about branches of the taxonomy."""

    value: OneOrMany[str]
    match: Match = Match.EXACT

    @property
    def asked(self) -> Asked:
        """Nobody is asked about a branch."""
        return "declared" if self.match is Match.EXACT else "open"

    def subject(self) -> tuple[str, ...]:
        """The canonical values or nodes."""
        return self.value

    def names(self) -> tuple[str, ...]:
        """The canonical values that the judge is asked about."""
        return self.value if self.match is Match.EXACT else ()

    def nodes(self) -> tuple[str, ...]:
        """The branches."""
        return self.value if self.match is Match.SUBTREE else ()

    def look_at_values(self, judge: Callable[[Declared], Judged]) -> Look:
        """Any of the values: one hit makes a hit, else one unknown makes unknown; not asked is unknown."""

        def look(seen: Observation) -> Judged:
            states = (seen.declared.get(value) for value in self.value)
            return join_any(_NOT_ASKED if state is None else judge(state) for state in states)

        return look


_NOT_ASKED = Judged(Standing.UNKNOWN)


def rule_out(seen: Observation) -> Standing:
    """How a conversation stands in which the open question saw nothing of the kind.

    A screening, which cannot say that nothing adverse is there, cannot say that nothing else is there either.
    """
    return Standing.UNKNOWN if seen.ai_values is None or seen.adverse is None else Standing.CLEAN


def join_any(judged: Iterable[Judged]) -> Judged:
    """How a conversation stands to "any of these", one or more: hit before unknown before clean.

    The evidence is that of the first flagged part of that standing, else of the first flagged part.
    """
    parts = sorted(judged, key=lambda part: _ANY_ORDER.index(part.standing))
    flagged = next((part for part in parts if part.flagged), None)
    return Judged(parts[0].standing, flagged is not None, flagged.evidence if flagged else None)


_ANY_ORDER = (Standing.HIT, Standing.UNKNOWN, Standing.CLEAN)


def build_predicate(
    scope: Scope, look: Look, accepted: frozenset[str] = frozenset(), cluster: FindCluster | None = None
) -> Predicate:
    """How any conversation stands to a check. Who may or may not belong is unknown, whatever was seen there.

    `accepted` are ids that waivers name. Only what is certain to belong can be waived, else a judge that no longer
    knows who belongs would turn a conversation outside into a clean one inside. `cluster` finds what a conversation
    shares with others that it depends on.
    """

    def judge(record: ConversationRecord) -> Judged:
        membership = scope.find(record)
        if membership is Membership.OUTSIDE:
            return Judged(Standing.OUTSIDE)
        if record.observation is None:
            return Judged(Standing.UNKNOWN)
        judged = look(record.observation)
        if membership is Membership.UNKNOWN and judged.standing is not Standing.OUTSIDE:
            return Judged(Standing.UNKNOWN, judged.flagged, judged.evidence)
        return replace(judged, named=True) if judged.flagged and record.id in accepted else judged

    def judge_in_cluster(record: ConversationRecord) -> Judged:
        judged = judge(record)
        found = None if cluster is None or judged.standing is Standing.OUTSIDE else cluster(record)
        return judged if found is None else replace(judged, cluster=found)

    return judge if cluster is None else judge_in_cluster


def build_checks(
    rule: Rule,
    scope: Scope,
    accepted: frozenset[str] = frozenset(),
    cluster: FindCluster | None = None,
    correct: Callable[[Limit], Correction | None] = lambda _: None,
) -> tuple[Check, ...]:
    """The checks of one rule within its scope, one for each limit; see `build_predicate` for `accepted` and `cluster`.

    `correct` gives what is known of the judge's errors on a limit.
    """
    return tuple(
        Check(
            id=rule.id + limit.suffix,
            rule=rule.id,
            kind=rule.section,
            key=limit.key,
            asked=rule.asked,
            direction=limit.direction,
            limit=limit.limit,
            never=limit.never,
            assure=limit.assure,
            severity=rule.severity,
            enforce=rule.enforce,
            min_units=rule.min_units,
            of=rule.of,
            contexts=rule.in_,
            denominator_name=_name_denominator(rule) + (f" in {' and '.join(rule.in_)}" if rule.in_ else ""),
            rests_on_judge=scope.rests_on_judge or rule.members_judged,
            correction=correct(limit),
            statement=build_statement(rule, limit),
            predicate=build_predicate(
                scope, rule.look(limit), accepted if limit.direction == "at_most" else frozenset(), cluster
            ),
            confirmed=rule.confirmed,
        )
        for limit in rule.limits()
    )


def build_statement(rule: Rule, limit: Limit) -> str:
    """One limit as the sentence that is signed: "In refunds, the assistant shows cruelty in at most 1% of ..."."""
    start = f"In {' and '.join(rule.in_)}, the assistant" if rule.in_ else "The assistant"
    denominator = _name_denominator(rule).removeprefix("all ")
    if limit.never:
        assured = f", a rate above {build_percentage(limit.assure)} ruled out" if limit.assure is not None else ""
        return f"{start} never {rule.phrase(limit)} in {denominator}{assured}"
    bound = f"{limit.direction.replace('_', ' ')} {build_percentage(limit.limit)}"
    return f"{start} {rule.phrase(limit)} in {bound} of {denominator}"


def build_change_statement(rule: Rule, limit: Limit, margin: float, baseline: str) -> str:
    """A change as the sentence that is signed: "The share of conversations in which the assistant shows ... "."""
    start = f"In {' and '.join(rule.in_)}, the share" if rule.in_ else "The share"
    where = f"{_name_denominator(rule).removeprefix('all ')} in which the assistant {rule.phrase(limit)}"
    change = "higher" if limit.direction == "at_most" else "lower"
    return f"{start} of {where} is at most {build_points(margin)} {change} than in {baseline}"


def inspect_limits(limits: Iterable[Limit], stated: frozenset[str], keys: tuple[str, ...]) -> Iterator[Finding]:
    """A rule without any of its limits, and limits that can never decide anything."""
    if not stated & {*keys}:
        yield Finding("", f"the rule states no limit, known: {', '.join(keys)}")
    for limit in limits:
        percent = build_percentage(limit.limit)
        if limit.limit == (1 if limit.direction == "at_most" else 0):
            yield Finding(limit.key, f'"{limit.key}: {percent}" can never be violated', warning=True)
        elif limit.limit == (0 if limit.direction == "at_most" else 1) and not limit.never:
            yield Finding(limit.key, f'"{limit.key}: {percent}" can never pass, no sample proves it', warning=True)


def _name_denominator(rule: Rule) -> str:
    return f"{rule.of} conversations{rule.members()}"
