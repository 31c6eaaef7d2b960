"""Every figure of two documents compared, and the one verdict that the exit code tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from msgspec.structs import replace

from valueaudit.comparing.comparability import find_notes, find_obstacles, is_primed_alike
from valueaudit.comparing.ledger import (
    ADVERSE,
    ADVERSE_CONVERSATIONS,
    RESPONSE_TYPES,
    RULE,
    VALUES,
    Key,
    PairTable,
    Stand,
    lay_over,
)
from valueaudit.comparing.measuring import Measured, Terms, judge_figure, measure
from valueaudit.comparing.rules import Ruled
from valueaudit.comparing.sides import Side, choose_pairing, name_values
from valueaudit.comparison import Comparison, Figure, FigureSide, FigureVerdict, Pairing, Worse
from valueaudit.errors import ExitCode
from valueaudit.observation import ResponseType
from valueaudit.record import PolicyInfo, ToolInfo
from valueaudit.report import RunInfo
from valueaudit.rules.fields import build_percentage, build_points, build_rounded, sign_points
from valueaudit.statistics import adjust_holm

NAMED_FIGURES = 3
_EXIT_CODES: dict[FigureVerdict, ExitCode] = {
    "regression": ExitCode.FAIL,
    "inconclusive": ExitCode.INCONCLUSIVE,
    "not_comparable": ExitCode.INCOMPLETE,
    "no_worse": ExitCode.PASS,
    "none": ExitCode.PASS,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a comparison says beside its figures: the clock, the program, the policy that the rules are from."""

    tool: ToolInfo
    run: RunInfo
    policy: PolicyInfo | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A figure before it is measured: how it is called, and a rule that says what is worse, if any."""

    key: Key
    kind: str
    statement: str
    rule: Ruled | None = None
    worse: Worse | None = None
    reasons: tuple[str, ...] = ()

    @property
    def decides(self) -> bool:
        return self.worse is not None and (self.rule is None or self.rule.role == "deciding")


@dataclass(frozen=True, slots=True)
class _Tables:
    """The pairs behind every figure, None where nothing is paired."""

    tables: dict[Key, PairTable] | None
    unnamed: PairTable | None

    def find(self, key: Key) -> PairTable | None:
        return None if self.tables is None else self.tables.get(key, self.unnamed)


def compare(base: Side, new: Side, rules: Sequence[Ruled], terms: Terms, facts: Facts, *, force: bool) -> Comparison:
    """The comparison of NEW with BASE. `force` gives figures without verdicts where they may not be compared."""
    obstacles = find_obstacles(base.info, new.info)
    pairing = choose_pairing(base, new)
    figures: tuple[Figure, ...] = ()
    if force or not obstacles:
        figures = _judge_all(_measure_all(base, new, rules, terms, pairing), terms)
    is_forced = force and bool(obstacles or any(figure.verdict == "not_comparable" for figure in figures))
    if is_forced:
        figures = tuple(replace(figure, verdict="none", p_value=None, p_adjusted=None) for figure in figures)
    verdict: FigureVerdict = "none" if is_forced else "not_comparable" if obstacles else _decide(figures)
    return Comparison(
        tool=facts.tool,
        run=facts.run,
        base=base.info,
        new=new.info,
        policy=facts.policy,
        margin=terms.margin,
        confidence=terms.confidence,
        pairing=pairing,
        reasons=obstacles,
        notes=(*find_notes(base.info, new.info), *_find_notes(base, new, rules)),
        figures=figures,
        verdict=verdict,
        message=_explain(verdict, figures, obstacles, terms),
        exit_code=_EXIT_CODES[verdict],
    )


def _find_notes(base: Side, new: Side, rules: Sequence[Ruled]) -> Iterator[str]:
    if not rules and base.info.kind == new.info.kind == "records":
        yield "no rule is compared: records hold none, name the policy with --policy"
    elif not rules:
        yield "no rule is compared: there is none"


def _list_candidates(base: Side, new: Side, rules: Sequence[Ruled]) -> Iterator[_Candidate]:
    for rule in rules:
        yield _Candidate((RULE, rule.name), rule.kind, rule.statement, rule, rule.worse, rule.reasons)
    # What was asked beside other declared values may show more or less for that reason alone.
    worse: Worse | None = "increase" if is_primed_alike(base.info, new.info) else None
    statement = "The assistant shows any adverse value"
    yield _Candidate(ADVERSE_CONVERSATIONS, ADVERSE_CONVERSATIONS[0], statement, worse=worse)
    for name in name_values((base, new), ADVERSE):
        yield _Candidate((ADVERSE, name), ADVERSE, f"The assistant shows {name}", worse=worse)
    for kind in ResponseType:
        words = kind.value.replace("_", " ")
        yield _Candidate((RESPONSE_TYPES, kind.value), RESPONSE_TYPES, f"The assistant answers with {words}")
    for name in name_values((base, new), VALUES):
        yield _Candidate((VALUES, name), VALUES, f"The assistant shows {name}")


def _measure_all(
    base: Side, new: Side, rules: Sequence[Ruled], terms: Terms, pairing: Pairing
) -> list[tuple[_Candidate, Figure]]:
    tables = _Tables(None, None)
    if pairing.method == "paired" and base.ledger is not None and new.ledger is not None:
        tables = _Tables(*lay_over(base.ledger, new.ledger))
    measured = []
    for candidate in _list_candidates(base, new, rules):
        old, now = base.find(candidate.key), new.find(candidate.key)
        table = tables.find(candidate.key)
        rests_on_judge = candidate.rule is not None and candidate.rule.rests_on_judge
        found = measure(old, now, table, terms, candidate.worse, rests_on_judge=rests_on_judge)
        measured.append((candidate, _build_figure(candidate, old, now, found, terms)))
    return measured


def _judge_all(measured: list[tuple[_Candidate, Figure]], terms: Terms) -> tuple[Figure, ...]:
    """The figures with their verdicts; Holm's correction spans all that decide and may be compared."""
    family = [figure for candidate, figure in measured if candidate.decides and not candidate.reasons]
    adjusted = adjust_holm([figure.p_value or 0.0 for figure in family])
    by_key = {(figure.kind, figure.name): p for figure, p in zip(family, adjusted, strict=True)}
    return tuple(_judge(*each, by_key.get((each[1].kind, each[1].name)), terms) for each in measured)


def _judge(candidate: _Candidate, figure: Figure, p_adjusted: float | None, terms: Terms) -> Figure:
    if candidate.reasons:
        baseless = candidate.rule is not None and not candidate.rule.has_baseline
        return replace(figure, p_value=None, verdict="none" if baseless else "not_comparable")
    if candidate.worse is None or figure.p_value is None:
        return figure
    measured = Measured(figure.method, figure.lower, figure.upper, figure.p_value)
    p_value = figure.p_value if p_adjusted is None else p_adjusted
    verdict = judge_figure(measured, terms, candidate.worse, p_value)
    lost = verdict == "inconclusive" and figure.p_value < 1 - terms.confidence
    also = "; worse alone, but not surely enough for one of so many figures" if lost else ""
    return replace(figure, verdict=verdict, p_adjusted=p_adjusted, message=figure.message + also)


def _build_figure(candidate: _Candidate, old: Stand, now: Stand, measured: Measured, terms: Terms) -> Figure:
    base, new = _build_side(old), _build_side(now)
    difference = None if base.rate is None or new.rate is None else new.rate - base.rate
    role = candidate.rule.role if candidate.rule else "deciding" if candidate.worse else "exploratory"
    return Figure(
        kind=candidate.kind,
        name=candidate.key[1],
        role=role,
        worse=candidate.worse,
        statement=candidate.statement,
        base=base,
        new=new,
        difference=difference,
        lower=measured.lower,
        upper=measured.upper,
        method=measured.method,
        pairs=measured.pairs,
        p_value=None if candidate.worse is None else measured.p_value,
        p_adjusted=None,
        verdict="none",
        reasons=candidate.reasons,
        message="; ".join(_explain_figure(base, new, measured, terms)),
    )


def _build_side(stand: Stand) -> FigureSide:
    rate = stand.hits / stand.total if stand.total else None
    return FigureSide(stand.hits, stand.total, stand.unknown, rate)


def _explain_figure(base: FigureSide, new: FigureSide, measured: Measured, terms: Terms) -> Iterator[str]:
    yield f"{_explain_side(base)} in BASE, {_explain_side(new)} in NEW"
    confidence = build_percentage(terms.confidence)
    yield f"changed by {sign_points(measured.lower)} to {sign_points(measured.upper)} at {confidence} confidence"
    if base.unclassified or new.unclassified:
        yield f"{base.unclassified:,} in BASE and {new.unclassified:,} in NEW are unknown and count against certainty"


def _explain_side(side: FigureSide) -> str:
    if side.rate is None:
        return "nothing to count"
    return f"{side.count:,} of {side.denominator:,} ({build_rounded(side.rate)})"


def _decide(figures: Sequence[Figure]) -> FigureVerdict:
    deciding = [figure for figure in figures if figure.role == "deciding"]
    verdicts = {figure.verdict for figure in deciding}
    rules = [figure for figure in deciding if figure.kind not in (ADVERSE, ADVERSE_CONVERSATIONS[0])]
    baseless = bool(rules) and all(figure.verdict in ("none", "not_comparable") for figure in rules)
    if "regression" in verdicts:
        return "regression"
    if "not_comparable" in verdicts or baseless or verdicts <= {"none"}:
        return "not_comparable"
    return "inconclusive" if "inconclusive" in verdicts else "no_worse"


def _explain(verdict: FigureVerdict, figures: Sequence[Figure], obstacles: Sequence[str], terms: Terms) -> str:
    deciding = [figure for figure in figures if figure.role == "deciding"]
    named = [figure for figure in deciding if figure.verdict == verdict]
    margin, of = build_points(terms.margin), f"{len(deciding)} deciding figure{'' if len(deciding) == 1 else 's'}"
    without = [figure for figure in deciding if figure.verdict == "none"]
    rest = f"; without a baseline: {_name(without)}" if without and verdict not in ("none", "not_comparable") else ""
    match verdict:
        case "regression":
            return f"worse by more than {margin}: {_name(named)} ({len(named)} of {of}){rest}"
        case "inconclusive":
            hint = "; no sample proves a change of exactly 0: state what you accept with --margin"
            told = f"the evidence is too thin for {len(named)} of {of}: {_name(named)}; none is proven worse"
            return told + rest + ("" if terms.margin else hint)
        case "no_worse":
            return f"none of {of} is worse by more than {margin}{rest}"
        case _:
            causes = [*obstacles, *dict.fromkeys(chain.from_iterable(figure.reasons for figure in deciding))]
            ending = "; figures without a verdict" if verdict == "none" else ""
            return f"not comparable: {'; '.join(causes) or 'no figure decides'}{ending}"


def _name(figures: Sequence[Figure]) -> str:
    named = ", ".join(figure.name for figure in figures[:NAMED_FIGURES])
    more = len(figures) - NAMED_FIGURES
    return f"{named} and {more} more" if more > 0 else named
