"""Where the text of a transcript would go, known and told before anything is sent."""

from __future__ import annotations

import os
import warnings
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from valueaudit.errors import UnknownModelError, UsageError
from valueaudit.provider.addresses import hide_in_address, is_address, is_loopback

# Servers that litellm expects on this machine when nothing else is said (docs.litellm.ai, "Providers").
_LOCAL_DEFAULTS = {
    "ollama": "http://localhost:11434",
    "ollama_chat": "http://localhost:11434",
}
_BASE_VARIABLES = {"openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE")}


class Endpoint(Struct, frozen=True):
    """A model, the provider litellm will ask for it and the address, None where only the provider knows it."""

    model: str
    provider: str
    base: str | None
    is_default: bool
    context_tokens: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether the address is known and lies on this machine."""
        return self.base is not None and is_address(self.base) and is_loopback(urlsplit(self.base).hostname or "")

    @property
    def shown(self) -> str:
        """The address for people and reports, without user name, password and query."""
        return "the provider's own address" if self.base is None else hide_in_address(self.base)


def load_litellm() -> Any:
    """The litellm module, loaded once, silent and without its network look-up of prices.

    Importing it takes seconds and about 170 MB, so it happens only here and only when a model is asked.
    """
    os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_OFFLINE_MODE="true")
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    # Warnings of litellm and pydantic about their own internals would only garble the summary.
    warnings.filterwarnings("ignore", module=r"litellm|pydantic")
    # Calls that are cancelled when a run must end leave coroutines of litellm behind.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)
    import litellm

    litellm.suppress_debug_info = True
    return litellm


def resolve_endpoint(model: str, api_base: str | None) -> Endpoint:
    """The endpoint behind a model name in litellm's notation, `provider/model`.

    Raises `UnknownModelError` for a name without a provider, `UsageError` for an address that is none.
    """
    if api_base is not None and not is_address(api_base):
        raise UsageError(
            f'"{api_base}" is no address of an endpoint',
            help="write it like http://127.0.0.1:8000/v1 or https://HOST/v1",
        )
    litellm = load_litellm()
    try:
        _, provider, _, known_base = litellm.get_llm_provider(model, api_base=api_base)
    except litellm.exceptions.BadRequestError as error:
        raise UnknownModelError(
            f'no provider is known for the model "{model}"',
            help="write provider/model, for example openai/gpt-4o-mini, anthropic/claude-sonnet-4-5, "
            "ollama_chat/llama3.2, or openai/NAME with --api-base for any OpenAI-compatible server",
        ) from error
    named = api_base or _base_from_environment(provider) or _LOCAL_DEFAULTS.get(provider)
    base = named or known_base or _base_known_to_litellm(litellm, model)
    return Endpoint(model, provider, base, named is None, _context_tokens(litellm, model))


def _base_from_environment(provider: str) -> str | None:
    names = (*_BASE_VARIABLES.get(provider, ()), f"{provider.upper()}_API_BASE")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _base_known_to_litellm(litellm: Any, model: str) -> str | None:
    try:
        base = litellm.get_api_base(model=model, optional_params={})
    except Exception:
        # An address is only shown; whatever goes wrong in looking it up must not stop the audit.
        return None
    return base if isinstance(base, str) else None


def _context_tokens(litellm: Any, model: str) -> int | None:
    try:
        tokens = litellm.get_model_info(model).get("max_input_tokens")
    except Exception:
        # litellm raises a bare Exception for models that its price list does not have.
        return None
    return tokens if isinstance(tokens, int) else None
