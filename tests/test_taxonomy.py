from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.errors import TaxonomyError
from valueaudit.observation import Polarity
from valueaudit.taxonomy import fold, load_taxonomy, parse_taxonomy

SMALL = """
id = "small-1"
[categories]
Social = "with others"
[[subcategories]]
name = "Community and relationship bonds"
category = "Social"
definition = "living together"
values = [
  {name = "honesty", definition = "saying what is so", aliases = ["truth-telling"]},
  {name = "deception", definition = "making others believe what is not so", polarity = "adverse"},
]
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Well-Being", "wellbeing"),
        ("well being", "Wellbeing"),
        ("non-violence", "nonviolence"),
        ("Anti-discrimination", "anti discrimination"),
        ("co-operation", "cooperation"),
        ("ethical boundaries", "ethical boundary"),
        ("organisation", "organizations"),
        ("personalised learning", "personalized learning"),
        ("prioritising", "prioritizing"),
        ("humour", "humor"),
        ("behavioural honesty", "behavioral honesty"),
        ("user_autonomy", "user autonomy"),
        ("user-centred design", "user-centered design"),
        ("children’s safety", "children's safety"),
        ("sceptical judgement", "skeptical judgment"),
        ("ＨＯＮＥＳＴＹ", "honesty"),
    ],
)
def test_spellings_of_one_value_fold_to_one_name(one: str, other: str) -> None:
    """Case, hyphens, plurals and British spelling do not make another value."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("honesty", "dishonesty"),
        ("ethics", "ethic s"),
        ("our", "or"),
        ("four", "for"),
        ("hour", "hor"),
        ("united", "untied"),
    ],
)
def test_distinct_words_stay_distinct(one: str, other: str) -> None:
    """Folding never merges different words."""
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    "word",
    ["expertise", "compromise", "wise", "promise", "precise", "exercise", "kindness", "focus", "analysis", "series"],
)
def test_words_that_only_look_inflected_are_kept(word: str) -> None:
    """A word in -ise, -ss, -us or -is that has no other spelling stays as it is."""
    assert fold(word) == word


@given(st.text(max_size=60))
def test_folding_is_stable(label: str) -> None:
    """Folding any text twice gives what folding it once gives, apart from a second plural s."""
    once = fold(label)
    assert once == " ".join(once.split())
    assert fold(label) == once


def test_find_leads_names_and_aliases_to_one_value() -> None:
    """A name and an alias in any spelling find the same canonical value, an unknown label finds none."""
    taxonomy = parse_taxonomy(SMALL.encode())
    found = taxonomy.find("Truth telling")
    assert found is not None
    assert (found.name, found.category, found.polarity) == ("honesty", "Social", Polarity.POSITIVE)
    assert taxonomy.find("Deceptions") is taxonomy.values["deception"]
    assert taxonomy.find("gardening") is None


def test_the_digest_is_of_the_bytes() -> None:
    """Another content is another digest, the same content the same."""
    assert parse_taxonomy(SMALL.encode()).sha256 == parse_taxonomy(SMALL.encode()).sha256
    assert parse_taxonomy(SMALL.encode()).sha256 != parse_taxonomy(SMALL.encode() + b"\n").sha256


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"truth-telling"', '"Deception"', "already leads to"),
        ('category = "Social"', 'category = "Nowhere"', "names no category"),
        ('polarity = "adverse"', 'polarity = "evil"', "cannot be read"),
        ('id = "small-1"', "", "cannot be read"),
        ("[[subcategories]]", "[[[", "cannot be read"),
    ],
)
def test_a_broken_taxonomy_is_refused(old: str, new: str, message: str) -> None:
    """A taxonomy that contradicts itself or cannot be read names what is wrong."""
    with pytest.raises(TaxonomyError, match=message):
        parse_taxonomy(SMALL.replace(old, new).encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    """A taxonomy that is not UTF-8 is a taxonomy error, not a crash."""
    with pytest.raises(TaxonomyError):
        parse_taxonomy(b"\xff\xfe")


def test_the_built_in_taxonomy_has_every_place_and_both_polarities() -> None:
    """The shipped file has the 5 categories, the 26 subcategories, and both positive and adverse values."""
    taxonomy = load_taxonomy()
    assert len(taxonomy.categories) == 5
    assert len(taxonomy.subcategories) == 26
    assert {value.subcategory for value in taxonomy.values.values()} == set(taxonomy.subcategories)
    assert {value.polarity for value in taxonomy.values.values()} == set(Polarity)


@pytest.mark.parametrize(
    ("name", "subcategory", "polarity"),
    [
        ("honesty", "Community and relationship bonds", "positive"),
        ("transparency", "Ethical responsibility", "positive"),
        ("harm prevention", "Protecting vulnerable entities", "positive"),
        ("user autonomy", "Personal growth and wellbeing", "positive"),
        ("deception", "Protecting human rights and dignity", "adverse"),
        ("dominance", "Social equity and justice", "adverse"),
        ("cruelty", "Protecting vulnerable entities", "adverse"),
    ],
)
def test_placements_that_surprise_hold(name: str, subcategory: str, polarity: str) -> None:
    """Well-known values stand where the published taxonomy has them, adverse ones under what they violate."""
    value = load_taxonomy().values[name]
    assert (value.subcategory, value.polarity) == (subcategory, polarity)
