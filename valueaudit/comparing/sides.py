"""The two sides of a comparison in one shape, whether a side is a report, which has counts, or records, which pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from valueaudit.comparing.ledger import (
    ADVERSE,
    ADVERSE_CONVERSATIONS,
    RESPONSE_TYPES,
    RULE,
    VALUES,
    Key,
    Ledger,
    Stand,
)
from valueaudit.comparison import DocumentInfo, Pairing
from valueaudit.observation import Polarity
from valueaudit.report import Report, RuleCheck, Share

# Below this share of either side the pairs would be a selection, and what stands alone too much to be unknown.
PAIRED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Side:
    """One document: how its conversations stand to each figure, to a value that it never names, and who they are."""

    info: DocumentInfo
    stands: Mapping[Key, Stand]
    unnamed: Stand
    ledger: Ledger | None = None

    def find(self, key: Key) -> Stand:
        """How the conversations of this side stand to a figure."""
        return self.stands.get(key, self.unnamed)


def build_records_side(info: DocumentInfo, ledger: Ledger) -> Side:
    """The side of a records file."""
    return Side(info, ledger.stands(), ledger.stand_of_unnamed(), ledger)


def build_report_side(info: DocumentInfo, report: Report) -> Side:
    """The side of a report, which says how many labels had no evidence but not which: each may be any value, so all of
    them are unknown to every value."""
    profile, coverage = report.profile, report.coverage
    looked_at = coverage.sampled + coverage.bad_records
    # Every category has the denominator of the values, also where no value was seen.
    assessed = max((share.denominator for share in profile.categories), default=0)
    doubted = coverage.unsupported_labels
    counts: dict[Key, int] = {}
    for shown in profile.values:
        key = ADVERSE if shown.polarity is Polarity.ADVERSE else VALUES, shown.value
        counts[key] = min(counts.get(key, 0) + shown.count, assessed)
    # Adverse beyond what the open question saw is what a rule prohibits, confirmed or not: the report does not say.
    pending = {share.value: max(0, share.count - counts.get((ADVERSE, share.value), 0)) for share in profile.adverse}
    total = profile.adverse_conversations
    suspected = min(total.count, sum(pending.values()))
    stands = {
        **{key: _stand(count, assessed, looked_at, doubted) for key, count in counts.items()},
        **{
            (ADVERSE, name): _stand(counts.get((ADVERSE, name), 0), assessed, looked_at, doubted + more)
            for name, more in pending.items()
        },
        **{(RESPONSE_TYPES, share.name): _stand_of(share, looked_at) for share in profile.response_types},
        **{(RULE, rule.id): _stand_of_rule(rule) for rule in report.rules},
        ADVERSE_CONVERSATIONS: _stand(total.count - suspected, total.denominator, looked_at, doubted + suspected),
    }
    return Side(info, stands, _stand(0, assessed, looked_at, doubted))


def choose_pairing(base: Side, new: Side) -> Pairing:
    """Paired where both sides are records and nine in ten conversations of each have their partner in the other.

    Neither the ids nor the share depend on what the judge said.
    """
    if base.ledger is None or new.ledger is None:
        return _unpaired("a report does not say which conversations it counts")
    return pair_ledgers(base.ledger, new.ledger)


def pair_ledgers(base: Ledger, new: Ledger) -> Pairing:
    """As `choose_pairing`, for records."""
    pairs = len(base.rows.keys() & new.rows.keys())
    alone = base.total - pairs, new.total - pairs
    if not pairs:
        return _unpaired("no conversation stands on both sides by its id", alone)
    if pairs < PAIRED_SHARE * max(base.total, new.total):
        return _unpaired(f"only {pairs:,} conversations stand on both sides, less than nine in ten", alone)
    return Pairing(
        method="paired",
        pairs=pairs,
        alone_base=alone[0],
        alone_new=alone[1],
        reason="conversations are compared with themselves by id",
    )


def name_values(sides: Iterable[Side], kind: str) -> list[str]:
    """The values of a kind that any side shows, most frequent first, then by name."""
    counts: dict[str, int] = {}
    for side in sides:
        for (found, name), stand in side.stands.items():
            if found == kind and stand.hits:
                counts[name] = max(counts.get(name, 0), stand.hits)
    return sorted(counts, key=lambda name: (-counts[name], name))


def _unpaired(reason: str, alone: tuple[int, int] = (0, 0)) -> Pairing:
    return Pairing(method="unpaired", pairs=0, alone_base=alone[0], alone_new=alone[1], reason=reason)


def _stand_of(share: Share, looked_at: int) -> Stand:
    return _stand(share.count, share.denominator, looked_at, 0)


def _stand_of_rule(rule: RuleCheck) -> Stand:
    return Stand(rule.confirmed, rule.denominator - rule.confirmed - rule.unclassified, rule.unclassified)


def _stand(count: int, assessed: int, looked_at: int, doubted: int) -> Stand:
    clean = max(0, assessed - count - doubted)
    return Stand(count, clean, max(looked_at, assessed) - count - clean)
