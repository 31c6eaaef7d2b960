from __future__ import annotations

from typing import Any

import pytest

from valueaudit.provider.addresses import _refuse_remote_connection, hide_credentials, is_address, is_loopback


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://host/v1", True),
        ("https://user:pw@host:443", True),
        ("http://[::1]:8000/v1", True),
        ("ftp://host", False),
        ("host:8000", False),
        ("http://", False),
        ("http://host:0", True),
        ("http://host:99999", False),
        ("http://[::1/v1", False),
    ],
)
def test_an_address_has_a_scheme_and_a_host(text: str, expected: bool) -> None:
    """What litellm could not connect to is no address."""
    assert is_address(text) is expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("scan -m x --api-base http://user:pa@ss@host:80/v1?key=1 -q", "scan -m x --api-base http://host:80/v1 -q"),
        ("http://[::1]:8000/v1?x", "http://[::1]:8000/v1"),
        ("http://[::1/v1", "(address)"),
        ("no address here", "no address here"),
    ],
)
def test_addresses_are_shown_without_secrets(text: str, shown: str) -> None:
    """User name, password and query go; host and path stay."""
    assert hide_credentials(text) == shown


@pytest.mark.parametrize(
    ("event", "arguments", "refused"),
    [
        ("socket.connect", (None, ("203.0.113.5", 443)), True),
        ("socket.connect", (None, ("127.0.0.1", 443)), False),
        ("socket.connect", (None, ("::1", 443, 0, 0)), False),
        ("socket.connect", (None, "/run/socket"), False),
        ("socket.getaddrinfo", ("api.example.com", 443, 0, 0, 0), True),
        ("socket.getaddrinfo", (b"localhost", 80, 0, 0, 0), False),
        ("socket.getaddrinfo", (None, 80, 0, 0, 0), False),
        ("open", ("file", "r", 0), False),
    ],
)
def test_offline_refuses_every_connection_but_loopback(event: str, arguments: tuple[Any, ...], refused: bool) -> None:
    """Whoever opens the connection, it is refused before anything is sent."""
    if refused:
        with pytest.raises(ConnectionRefusedError, match="--offline refuses"):
            _refuse_remote_connection(event, arguments)
    else:
        _refuse_remote_connection(event, arguments)


def test_loopback_needs_no_name_server() -> None:
    """Names are not looked up: only one name is this machine."""
    assert is_loopback("localhost")
    assert not is_loopback("localhost.example.com")
