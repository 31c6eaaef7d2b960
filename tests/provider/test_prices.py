from __future__ import annotations

import pytest

from valueaudit.provider.prices import Price, find_price


def test_known_models_have_a_price() -> None:
    """More for a token received than for one sent, as litellm's own list has it."""
    price = find_price("openai/gpt-4o-mini")
    assert price is not None
    assert 0 < price.prompt < price.completion < 0.001


@pytest.mark.parametrize("model", ["openai/a-model-of-our-own", "nonsense", "whisper-1"])
def test_unknown_prices_are_none(model: str) -> None:
    """Unknown is not free: neither a model that the list lacks nor one that is charged by the second."""
    assert find_price(model) is None


def test_prices_multiply() -> None:
    """Dollars for tokens sent and received."""
    assert Price(0.001, 0.01).of(100, 10) == pytest.approx(0.2)
