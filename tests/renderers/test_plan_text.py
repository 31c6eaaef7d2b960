from __future__ import annotations

from dataclasses import replace

from policy_samples import prohibited

from valueaudit.planning import CheckPlan, plan_checks
from valueaudit.renderers.plan import Charge, Found, Terms, render_plan

PLANS = plan_checks(prohibited("id: a, value: cruelty, at_most: 1%"), rates={"a": 0.0}, power=0.8)
TERMS = Terms("p\x1b[31m", 0.8, 0.95, 0.005)


def build_charge(**changes: object) -> Charge:
    """A price of a hundred conversations."""
    known = {"model": "m", "conversations": 100, "calls": 100, "confirming_calls": 0.0, "reply_tokens": 4096}
    priced = {"prompt_tokens": 123_456.0, "completion_tokens": 7.4, "usd": 1.0, "usd_at_most": 2.0}
    return Charge(**{**known, **priced, **changes})  # type: ignore[arg-type]


def test_a_plan_is_a_table_with_its_terms() -> None:
    """Power, confidence and loss stand above; nothing in a name drives the terminal."""
    text = render_plan(TERMS, PLANS, found=None, charge=None)
    assert text.startswith(r"plan for p\x1b[31m: each check by itself")
    assert "80%; confidence 95%, 0.5% of the conversations not judged" in text
    assert "in the logs" not in text


def test_a_price_is_scaled_to_what_is_needed() -> None:
    """A hundred conversations for one dollar are 299 for three, where every conversation counts."""
    found = Found(2, 100, 0, 0, {"a": 100})
    text = render_plan(TERMS, PLANS, found=found, charge=build_charge())
    assert "the logs: 2 files, 100 conversations\n" in text
    assert "m: 100 calls, about 120,000 tokens sent and 7 received" in text
    assert "price: about $1.00; $2.00 if every reply" in text
    assert "299 such conversations: about $2.99" in text


def test_small_prices_are_not_free() -> None:
    """Less than a cent is said as that."""
    text = render_plan(TERMS, PLANS, found=Found(1, 100, 0, 0, {"a": 100}), charge=build_charge(usd=0.001))
    assert "price: about less than $0.01" not in text
    assert "price: less than $0.01" in text


def test_names_are_ascii_where_nothing_else_fits() -> None:
    """The whole page, for a terminal without Unicode."""
    assert render_plan(Terms("ü", 0.8, 0.95, 0.0), PLANS, found=None, charge=None, ascii_only=True).isascii()


def test_dependent_conversations_are_more() -> None:
    """Where the policy knows clusters, the page says that its sizes do not."""
    terms = Terms("p", 0.8, 0.95, 0.0, "metadata.user")
    assert "where several share one metadata.user, more are needed" in render_plan(
        terms, PLANS, found=None, charge=None
    )


def test_checks_without_a_size_for_one_reason_share_a_line() -> None:
    """As the changes of one drift rule whose baseline is missing, which have no rate either."""
    plans = [CheckPlan(replace(PLANS[0].check, id=name), None, "pass", None, "it is lost") for name in "ab"]
    text = render_plan(TERMS, plans, found=None, charge=None)
    assert "  a      at most 1%  -          -   -\n" in text
    assert "\na, b: not planned, it is lost\n" in text
