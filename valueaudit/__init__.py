"""valueaudit: audit the values an AI assistant shows in real conversations against the values its owners intended."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
