"""The only room that knows litellm: which endpoint a model means, asking it, and what its errors mean for the audit."""

from __future__ import annotations

from valueaudit.provider.endpoint import Endpoint, resolve_endpoint
from valueaudit.provider.judge import JudgeSettings, LiteLLMJudge

__all__ = ["Endpoint", "JudgeSettings", "LiteLLMJudge", "resolve_endpoint"]
