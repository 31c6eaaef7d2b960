from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import astuple

from valueaudit.classifiers.embedded_rules import is_negated
from valueaudit.classifiers.folded import HIDDEN, fold_text
from valueaudit.classifiers.language import find_language
from valueaudit.classifiers.phrases import MOST_KEPT, Hit, PhraseBook, compile_phrase
from valueaudit.classifiers.words import blank_marks, split_letters, split_sentences

TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab'_7 .!?\n\t\x00\x1c-\u2019\u2014\u201c\u2026\u00a0\u00e9\u0130\u0301"), st.characters()
    )
)


@given(TEXTS)
@example("don't 'quote' rock'n'roll ''twice'' it's. 'end'")
@example("caf\u00e9 'n' th\u00e9'. \u201cyes\u201d \u2014 no")
def test_sentences_and_words_are_those_of_their_patterns(text: str) -> None:
    """Plain and other texts are taken apart alike: words with single apostrophes inside, between ends of sentences."""
    expected = [
        (match.start(), match.end(), words)
        for match in re.finditer(r"[^.!?\x00]+", text)
        if (words := re.findall(r"\w+(?:'\w+)*", match[0]))
    ]
    assert [astuple(sentence) for sentence in split_sentences(text)] == expected


@given(TEXTS)
def test_letters_are_those_of_their_pattern(text: str) -> None:
    """Runs of letters in lower case, in any script; marks of typeset text part words as spaces do."""
    expected = re.findall(r"[^\W\d_]+", text.lower())
    assert split_letters(text) == expected
    assert split_letters(blank_marks(text)) == expected


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_is_folded_as_any_other(text: str) -> None:
    """Controls are taken out, white space of lines stays, and every character left knows its place."""
    folded = fold_text(text)
    kept = [(c.lower(), at) for at, c in enumerate(text) if c in "\n\t" or c.isprintable()]
    assert folded.text == "".join(c for c, _ in kept)
    assert folded.offsets in (None, (*(at for _, at in kept), len(text)))


def test_a_book_keeps_a_bounded_number_of_words() -> None:
    """A log of words that never come again fills no memory, and what is found stays the same."""
    book = PhraseBook([compile_phrase("topic", "kind word")])
    text = " ".join(f"w{number}" for number in range(2 * MOST_KEPT)) + " " + "x" * 1000 + " kind word"
    for _ in range(2):
        assert len(book.search(text, split_sentences(text))) == 1
        assert len(book._marks) <= MOST_KEPT
    assert "x" * 1000 not in book._marks


def test_a_negation_ends_with_its_line() -> None:
    """What a line denies says nothing of the words that begin the next."""
    text = "i would never\nlee sus mensajes"
    at = text.index("lee")
    assert not is_negated(text, Hit("topic", at, len(text)))
    assert is_negated(text.replace("\n", " "), Hit("topic", at, len(text)))


def test_marks_of_typeset_text_do_not_hide_the_script() -> None:
    """Dashes and curly quotation marks are no letters of any script."""
    assert (
        find_language(["\u201cThe cat sat on the mat\u201d \u2014 and that was all there is to it, isn\u2019t it?"])
        == "en"
    )
    assert HIDDEN not in blank_marks("\u201c\u2014")
