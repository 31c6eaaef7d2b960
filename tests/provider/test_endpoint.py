from __future__ import annotations

import pytest

from valueaudit.errors import UnknownModelError, UsageError
from valueaudit.provider.endpoint import Endpoint, resolve_endpoint


@pytest.mark.parametrize(
    ("model", "base", "provider", "shown"),
    [
        ("openai/gpt-4o-mini", None, "openai", "https://api.openai.com"),
        ("openai/mine", "http://127.0.0.1:8000/v1", "openai", "http://127.0.0.1:8000/v1"),
        ("openai/mine", "http://user:secret@host:8000/v1?key=1", "openai", "http://host:8000/v1"),
        ("ollama_chat/llama3", None, "ollama_chat", "http://localhost:11434"),
        ("anthropic/claude-sonnet-4-5", None, "anthropic", "the provider's own address"),
    ],
)
def test_an_endpoint_is_named_before_it_is_asked(model: str, base: str | None, provider: str, shown: str) -> None:
    """Provider and address are known for people, without credentials."""
    endpoint = resolve_endpoint(model, base)
    assert (endpoint.provider, endpoint.shown) == (provider, shown)


def test_an_address_in_the_environment_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_BASE_URL decides where the text goes, so it is what is shown."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1234/v1")
    endpoint = resolve_endpoint("openai/mine", None)
    assert endpoint.shown == "http://localhost:1234/v1"
    assert endpoint.is_loopback


@pytest.mark.parametrize(
    ("base", "loopback"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8000", True),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://10.0.0.1/v1", False),
        ("https://api.example.com", False),
        (None, False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(base: str | None, loopback: bool) -> None:
    """A private network is not this machine, and neither is an address that nobody knows."""
    assert Endpoint("m", "p", base, False, None).is_loopback is loopback


@pytest.mark.parametrize("model", ["nonsense", "nope/abc", ""])
def test_a_model_without_a_provider_is_refused(model: str) -> None:
    """The refusal names the model and shows how one is written."""
    with pytest.raises(UnknownModelError, match="no provider is known") as caught:
        resolve_endpoint(model, None)
    assert "provider/model" in str(caught.value.help)


def test_an_address_without_a_scheme_is_refused() -> None:
    """A host alone is no address."""
    with pytest.raises(UsageError, match="no address"):
        resolve_endpoint("openai/x", "localhost:8000")


def test_the_context_of_a_known_model_is_known() -> None:
    """litellm's list says how long requests may be; for a model of one's own nobody knows."""
    known = resolve_endpoint("openai/gpt-4o-mini", None).context_tokens
    assert known is not None
    assert known > 100_000
    assert resolve_endpoint("openai/mine", "http://127.0.0.1:1/v1").context_tokens is None
