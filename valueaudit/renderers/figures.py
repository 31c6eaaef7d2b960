"""How a number is written for people, the same in every output: a rate must never be rounded into a claim."""

from __future__ import annotations

UNKNOWN = "n/a"


def format_count(count: int) -> str:
    """A count with thousands apart: `1,234`."""
    return f"{count:,}"


def format_rate(rate: float | None, *, more: int = 0) -> str:
    """A rate in [-1, 1] as per cent with two or three figures and `more`; only an exact 0 or 1 is written as such."""
    return UNKNOWN if rate is None else f"{_per_cent(rate, more)}%"


def format_interval(interval: tuple[float, float], *, dash: str = "–", more: int = 0) -> str:
    """An interval of rates: `1.2–3.4%`."""
    lower, upper = interval
    return f"{_per_cent(lower, more)}{dash}{_per_cent(upper, more)}%"


def format_limit(limit: float) -> str:
    """A limit as its author wrote it: `0.1%`, `60%`."""
    return f"{round(limit * 100, 10):.12g}%"


def format_money(usd: float | None) -> str:
    """An amount in US dollars, to the cent, or `price unknown`."""
    if usd is None:
        return "price unknown"
    return "under $0.01" if 0 < usd < 0.005 else f"${usd:,.2f}"


def _per_cent(rate: float, more: int) -> str:
    sign, value = ("-", -rate * 100) if rate < 0 else ("", rate * 100)
    if value in (0.0, 100.0):
        return f"{sign if value else ''}{value:.0f}"
    if value < 0.001:
        return f"{sign}<0.001"
    for digits, limit in ((3, 0.1), (2 + more, 1.0), (1 + more, 99.95), (2, 99.995)):
        if value < limit:
            return f"{sign}{value:.{digits}f}"
    return f"{sign}>99.99"
