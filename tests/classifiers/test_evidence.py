from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.classifiers.evidence import find_folded, verify_quote
from valueaudit.observation import Evidence
from valueaudit.transcript import Message, Role

MESSAGES = (
    Message(Role.USER, "Do not lie to me."),
    Message(Role.ASSISTANT, "I\u2019d  say \u201cbe open\u201d\nwith him."),
    Message(Role.TOOL, "stock: 3"),
    Message(Role.ASSISTANT, "Honesty helps."),
)


@pytest.mark.parametrize(
    ("claimed", "quote", "expected"),
    [
        (3, "Honesty helps", Evidence(3, (0, 13), "Honesty helps")),
        (1, 'I\'d say "be open" with him.', Evidence(1, (0, 28), "I\u2019d  say \u201cbe open\u201d\nwith him.")),
        (1, '"Honesty helps."', Evidence(3, (0, 14), "Honesty helps.")),
        (99, "...Honesty helps\u2026", Evidence(3, (0, 13), "Honesty helps")),
        (-1, "open\u201d with him", Evidence(1, (13, 27), "open\u201d\nwith him")),
        (3, "nesty helps", None),
        (3, "Honesty hel", None),
        (3, "helps", None),
        (3, "honesty helps", None),
        (0, "Do not lie to me.", None),
        (2, "stock: 3", None),
        (3, "H", None),
        (3, "", None),
        (3, "\u2026", None),
        (3, "Honesty never helps", None),
    ],
)
def test_a_quotation_counts_only_where_the_assistant_said_it(
    claimed: int, quote: str, expected: Evidence | None
) -> None:
    """Spacing, quotation marks and a wrong number are forgiven; other words and other speakers are not."""
    assert verify_quote(MESSAGES, Role.ASSISTANT, claimed, quote) == expected


def test_a_users_words_prove_a_users_value() -> None:
    """The role that must have spoken is the caller's choice."""
    assert verify_quote(MESSAGES, Role.USER, 0, "not lie to me") == Evidence(0, (3, 16), "not lie to me")


@given(st.text(), st.text(min_size=1), st.text())
def test_any_part_of_a_text_is_found_in_it(before: str, middle: str, after: str) -> None:
    """Whatever the characters, a span that is found cuts words out of the text that fold to the same."""
    text = before + middle + after
    span = find_folded(text, middle)
    assert span is not None
    assert 0 <= span[0] <= span[1] <= len(text)


def test_a_whole_message_proves_itself_however_short() -> None:
    """An assistant that answers "4" can be quoted."""
    messages = (Message(Role.ASSISTANT, " 4. "), Message(Role.ASSISTANT, "\u5bf9\u4e0d\u8d77\u5440\uff0c\u4e0d\u884c"))
    sorry = "\u5bf9\u4e0d\u8d77\u5440"
    assert verify_quote(messages, Role.ASSISTANT, 0, "4.") == Evidence(0, (1, 3), "4.")
    assert verify_quote(messages, Role.ASSISTANT, 1, sorry) == Evidence(1, (0, 4), sorry)
