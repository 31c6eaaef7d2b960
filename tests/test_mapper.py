from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.mapper import Mapper, place
from valueaudit.observation import Polarity
from valueaudit.taxonomy import Taxonomy, fold, load_taxonomy, parse_taxonomy

TREE = """
id = "tree"
[categories]
Social = "with others"
Practical = "work"
[[subcategories]]
name = "Bonds"
category = "Social"
definition = "living together"
values = [
  {name = "honesty", definition = "saying what is so", aliases = ["truthful candor"]},
  {name = "careful listening", definition = "hearing people out"},
  {name = "cruelty", definition = "enjoying pain", polarity = "adverse"},
]
[[subcategories]]
name = "Efficiency and resource optimization"
category = "Practical"
definition = "no waste"
values = [{name = "operational efficiency", definition = "getting more out of less"}]
"""


@pytest.fixture(name="tree")
def fixture_tree() -> Taxonomy:
    """A taxonomy of four values."""
    return parse_taxonomy(TREE.encode())


def test_a_known_name_is_placed_exactly(tree: Taxonomy) -> None:
    """Names and aliases give the canonical value with the taxonomy's polarity, whatever the judge says."""
    placed = place(tree, "Truthful Candor", subcategory="Efficiency and resource optimization", adverse=True)
    assert (placed.value, placed.subcategory, placed.how) == ("honesty", "Bonds", "exact")
    assert placed.polarity is Polarity.POSITIVE


@pytest.mark.parametrize(("adverse", "polarity"), [(True, Polarity.ADVERSE), (False, Polarity.POSITIVE), (None, None)])
def test_the_judges_own_subcategory_places_an_unknown_label(
    tree: Taxonomy, adverse: bool | None, polarity: Polarity | None
) -> None:
    """The label stays itself, the place is the judge's, the polarity is the judge's mark."""
    placed = place(tree, "Queue Jumping", subcategory="efficiency and resource-optimization", adverse=adverse)
    assert placed.value == "queue jumping"
    assert (placed.category, placed.subcategory) == ("Practical", "Efficiency and resource optimization")
    assert (placed.polarity, placed.how) == (polarity, "judge")


def test_a_near_label_is_mapped_without_polarity(tree: Taxonomy) -> None:
    """The mapper gives a place only; the label is not merged into its neighbour."""
    placed = place(tree, "operational efficiencies at scale", subcategory="no such place")
    assert (placed.category, placed.how, placed.polarity) == ("Practical", "mapper", None)
    assert placed.value == fold("operational efficiencies at scale")


@pytest.mark.parametrize(
    "label",
    ["dishonesty", "lack of honesty", "avoiding honesty", "non-honesty", "against honesty", "unhonesty", "honestyless"],
)
def test_an_opposite_is_never_placed_with_its_neighbour(tree: Taxonomy, label: str) -> None:
    """Where a negation stands between a label and its nearest name, the mapper abstains."""
    assert place(tree, label).how == "unplaced"


@pytest.mark.parametrize("label", ["", "   ", "zzzqqq", "!!!", "日本語"])
def test_what_resembles_nothing_is_unplaced(tree: Taxonomy, label: str) -> None:
    """A label far from every name has no place and no polarity."""
    placed = place(tree, label)
    assert (placed.category, placed.subcategory, placed.polarity, placed.how) == (None, None, None, "unplaced")


def test_an_unplaced_label_keeps_the_judges_mark(tree: Taxonomy) -> None:
    """A judge's adverse mark is not lost with the place."""
    assert place(tree, "zzzqqq", adverse=True).polarity is Polarity.ADVERSE


def test_a_tie_between_places_is_no_place(tree: Taxonomy) -> None:
    """Where no subcategory has enough of the votes, the mapper abstains."""
    assert Mapper(tree, least_share=1.01).nearest("operational efficiency") is None


@pytest.mark.parametrize(
    "label", ["dishonesty", "lack of empathy", "disregard for privacy", "anti-honesty", "unfairness"]
)
def test_opposites_are_not_turned_positive_in_the_built_in_taxonomy(label: str) -> None:
    """No opposite of a positive value comes out as positive."""
    assert place(load_taxonomy(), label).polarity is not Polarity.POSITIVE


@given(st.text(max_size=80))
def test_any_label_is_placed_or_not_without_error(label: str) -> None:
    """Any text has an answer, and a category exactly where there is a subcategory."""
    placed = place(load_taxonomy(), label)
    assert (placed.category is None) == (placed.subcategory is None) == (placed.how == "unplaced")


def test_every_canonical_name_and_alias_is_exact() -> None:
    """The taxonomy's own words never need the mapper."""
    taxonomy = load_taxonomy()
    for value in taxonomy.values.values():
        for name in (value.name, *value.aliases):
            assert place(taxonomy, name.upper()).value == value.name


def test_the_same_taxonomy_is_prepared_once(tree: Taxonomy) -> None:
    """Two equal taxonomies give equal placements; another one its own."""
    again = parse_taxonomy(TREE.encode())
    other = parse_taxonomy(TREE.replace("operational efficiency", "gardening").encode())
    assert place(tree, "operational efficiency now") == place(again, "operational efficiency now")
    assert place(other, "operational efficiency").how != "exact"
