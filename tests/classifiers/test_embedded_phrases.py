from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.classifiers.folded import LONGEST_QUOTE, fold_text, hide_quotations, hide_speakers, sentence_bounds
from valueaudit.classifiers.phrase_data import load_phrases, parse_phrases
from valueaudit.classifiers.phrases import PhraseBook, compile_phrase
from valueaudit.classifiers.words import split_sentences
from valueaudit.errors import TaxonomyError
from valueaudit.taxonomy import load_taxonomy


def found(phrase: str, text: str) -> list[str]:
    """What one phrase matches in a text."""
    hits = PhraseBook([compile_phrase("topic", phrase)]).search(text, split_sentences(text))
    return [text[hit.start : hit.end] for hit in hits]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("i [can't|cannot] help", "sorry, i cannot help", ["i cannot help"]),
        ("i [can't|cannot] help", "i can't\nhelp; i cannot help", ["i can't\nhelp", "i cannot help"]),
        ("i can't [really|] help", "i can't really help, i can't help", ["i can't really help", "i can't help"]),
        ("help * friend", "help my best friend. help. friend", ["help my best friend"]),
        ("help * friend", "help one two three four friend", []),
        ("encourag~ you", "encouraging you, discourage you", ["encouraging you"]),
        ("[very|] happy", "unhappy very happy", ["very happy"]),
        ("at all", "hat all at all", ["at all"]),
        ("no catch", "no catchphrase", []),
        ("[sufr~|llor~] ahora", "sufriendo ahora", ["sufriendo ahora"]),
    ],
)
def test_the_phrase_language(phrase: str, text: str, expected: list[str]) -> None:
    """Alternatives, options, gaps and beginnings match whole words inside one sentence."""
    assert found(phrase, text) == expected


def test_a_slot_holds_up_to_four_words() -> None:
    """The words of `<value>` are told apart from the rest of the phrase."""
    book = PhraseBook([compile_phrase("t", "i value <value>"), compile_phrase("t", "<value> matters to me")])
    text = "i value plain old honesty. open and honest talk matters to me"
    slots = [text[hit.slot[0] : hit.slot[1]] for hit in book.search(text, split_sentences(text)) if hit.slot]
    assert slots == ["plain old honesty", "open and honest talk"]


def test_every_phrase_of_the_package_can_be_tried() -> None:
    """Phrases are compiled when they are first tried, so a wrong one would only show in the middle of a scan."""
    for topic, sources in load_phrases().sources.items():
        for source in sources:
            assert re.compile(compile_phrase(topic, source).spelled).pattern


@pytest.mark.parametrize("phrase", ["[a|b", "a|b", "", "[maybe|]", "da~", "what , now", "[a * b|c]", "(a)"])
def test_a_phrase_that_cannot_be_found_is_refused(phrase: str) -> None:
    """Wrong brackets, and phrases without any word that must occur, are named."""
    with pytest.raises(TaxonomyError, match="phrase"):
        compile_phrase("topic", phrase)


@pytest.mark.parametrize(
    "content",
    [
        '[other."x"]\nen = ["a"]',
        '[positive."x"]\nxx = ["a"]',
        "positive = 3",
        "[positive]\nx = 3",
        '[positive."x"]\nen = "a"',
        "[[[",
    ],
)
def test_a_broken_phrase_file_is_refused(content: str) -> None:
    """An unknown section or language and a wrong shape are named."""
    with pytest.raises(TaxonomyError):
        parse_phrases(content.encode())


def test_every_value_of_the_phrase_file_is_in_the_taxonomy() -> None:
    """Each value has a canonical name and the polarity that its section says; enough of them have phrases."""
    taxonomy = load_taxonomy()
    names: dict[str, list[str]] = {"positive": [], "adverse": [], "human": []}
    for topic in load_phrases().sources:
        section, _, name = topic.partition("/")
        if section in names:
            value = taxonomy.values[name]
            names[section].append(name)
            assert section == "human" or value.polarity == section, topic
    assert len(names["positive"]) >= 60
    assert len(names["adverse"]) >= 20


def test_quotations_are_blanked_character_for_character() -> None:
    """Code, block quotes and quoted words are gone, everything else stays in its place."""
    text = "he wrote \"i can't help\" and\n> i refuse\n```\ni refuse\n``` `x` 'i refuse' it's done"
    bare = hide_quotations(text)
    assert len(bare) == len(text)
    assert "refuse" not in bare
    assert "can't" not in bare
    assert bare.endswith("it's done")


def test_a_reply_that_is_one_quotation_is_not_blanked() -> None:
    """A reply in quotation marks from end to end is what the assistant says."""
    assert hide_quotations('"i can\'t help with that."') == '"i can\'t help with that."'
    assert "refuse" not in hide_quotations("```\ni refuse\n```")


def test_a_written_dialogue_is_blanked_only_if_a_speaker_returns() -> None:
    """Two lines of one speaker make a dialogue, labels of a list do not."""
    dialogue = "guard: i can't let you in\nknight: please\nguard: i won't"
    assert hide_speakers(dialogue).strip("\x00\n") == ""
    assert hide_speakers("note: i can't help\ntip: ask") == "note: i can't help\ntip: ask"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("I ca\u200bn\u2019t help", "i can't"),
        ("I re\u00adfuse", "refuse"),
        ("Cafe\u0301 time", "café"),
        ("ＲＥＦＵＳＥ", "refuse"),
        ("İ refuse", "refuse"),
        ("a\x07b", "ab"),
    ],
)
def test_invisible_and_look_alike_characters_hide_nothing(text: str, word: str) -> None:
    """Folding finds the words behind them, and the quotation is cut out of the original."""
    folded = fold_text(text)
    at = folded.text.index(word)
    evidence = folded.evidence(3, at, at + len(word))
    assert evidence.message == 3
    assert text[evidence.span[0] : evidence.span[1]] == evidence.quote


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_evidence_is_always_verbatim(text: str, one: int, other: int) -> None:
    """Whatever the text and the span, the quotation is what the span cuts out, and it is bounded."""
    folded = fold_text(text)
    start, end = sorted((min(one, len(folded.text)), min(other, len(folded.text))))
    evidence = folded.evidence(0, start, end)
    assert text[evidence.span[0] : evidence.span[1]] == evidence.quote
    assert folded.offsets is not None or len(evidence.quote or "") <= LONGEST_QUOTE


def test_a_long_sentence_gives_the_words_alone() -> None:
    """A sentence longer than a quotation may be is cut to the words found."""
    text = "a " * 300 + "i refuse " + "b " * 300
    at = text.index("i refuse")
    assert fold_text(text).evidence(0, at, at + 8).quote == "i refuse"
    assert sentence_bounds("one. two! three", 5, 8) == (4, 9)


@pytest.mark.parametrize(
    "unit", ['"', "'", "' ", "`", "```", "> ", "i can't ", "a: b\n", "e\u0301", "\u200b", "*", "don't tell ", "x"]
)
def test_a_megabyte_of_anything_is_folded_and_searched_in_bounded_time(unit: str) -> None:
    """No pattern backtracks without bound: a message of one million characters takes seconds at most."""
    text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    started = time.process_time()
    own = hide_speakers(hide_quotations(fold_text(text).text))
    load_phrases().assistant.search(own, split_sentences(own))
    assert time.process_time() - started < 20
