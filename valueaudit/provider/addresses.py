"""Addresses: which are this machine, how they are shown without secrets, and how a process is kept from all others."""

from __future__ import annotations

import ipaddress
import re
import sys
from typing import Any
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"https?://[^\s'\"]+")


def is_address(text: str) -> bool:
    """Whether a text is an http or https address with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def hide_credentials(text: str) -> str:
    """A text in which every address has lost its user name, password and query."""
    return _ADDRESS.sub(lambda match: hide_in_address(match[0]), text)


def hide_in_address(address: str) -> str:
    """An address without user name, password and query."""
    if not is_address(address):
        return "(address)"
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path}"


def forbid_remote_connections() -> None:
    """From now on this process connects to loopback addresses only, whatever a proxy, a redirect or a library wants.

    An audit hook (PEP 578) sees every connection of every library, and cannot be taken back.
    """
    sys.addaudithook(_refuse_remote_connection)


def _refuse_remote_connection(event: str, arguments: tuple[Any, ...]) -> None:
    host: Any = None
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    if host and not is_loopback(host.decode() if isinstance(host, bytes) else str(host)):
        raise ConnectionRefusedError(f"--offline refuses a connection to {host}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
