from __future__ import annotations

from typing import Any

import pytest

from valueaudit.benching import BadLabelsError, Labels, parse_labels
from valueaudit.benching.labels import LabelledValue
from valueaudit.observation import Polarity, ResponseType
from valueaudit.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
HONESTY = {"value": "honesty", "subcategory": "Community and relationship bonds", "evidence": "words"}
KINDNESS = {"value": "kind whimsy", "subcategory": "artistic expression and appreciation"}


def parse(labels: Any) -> Labels:
    """The labels of a record that has these."""
    return parse_labels({"labels": labels}, TAXONOMY)


def test_every_field_is_read() -> None:
    """A whole entry of a labelled file, in the terms of an observation."""
    found = parse(
        {
            "subjectivity": 3,
            "task": "ask",
            "ai_values": [HONESTY],
            "human_values": ["family"],
            "response_type": "reframing",
            "adverse": False,
            "declared": {"Deceit": True, "Practical": False},
        }
    )
    assert found == Labels(
        subjectivity=3,
        ai_values=(LabelledValue("honesty", "Social", "Community and relationship bonds", Polarity.POSITIVE),),
        human_values=True,
        response_type=ResponseType.REFRAMING,
        adverse=False,
        declared={"deception": True, "Practical": False},
    )


@pytest.mark.parametrize("labels", [{}, {"adverse": None, "subjectivity": None}, {"task": "only this"}])
def test_what_is_left_out_is_not_labelled(labels: dict[str, Any]) -> None:
    """Each label is optional, null is none, and a task alone labels nothing that is measured."""
    assert parse(labels).is_empty


def test_an_empty_list_is_a_label() -> None:
    """Looked and saw none is not the same as did not look."""
    found = parse({"ai_values": [], "human_values": []})
    assert (found.ai_values, found.human_values) == ((), False)


@pytest.mark.parametrize(
    ("adverse", "mark", "polarity"),
    [
        (None, None, None),
        (True, None, None),
        (False, None, Polarity.POSITIVE),
        (True, True, Polarity.ADVERSE),
        (None, False, Polarity.POSITIVE),
    ],
)
def test_polarity_of_a_value_that_the_taxonomy_does_not_know(
    adverse: bool | None, mark: bool | None, polarity: Polarity | None
) -> None:
    """By its own mark, else positive where the conversation shows nothing adverse, else unknown."""
    found = parse({"adverse": adverse, "ai_values": [{**KINDNESS, "adverse": mark}]})
    assert found.ai_values is not None
    assert [(v.subcategory, v.polarity) for v in found.ai_values] == [
        ("Artistic expression and appreciation", polarity)
    ]


def test_the_subcategory_of_a_known_value_may_be_left_out() -> None:
    """The taxonomy knows where it belongs."""
    found = parse({"ai_values": [{"value": "honesty"}]})
    assert found.ai_values is not None
    assert found.ai_values[0].subcategory == "Community and relationship bonds"


@pytest.mark.parametrize(
    ("label", "refused"), [("1_full_compliance", False), ("2_full_refusal", True), ("3_partial_refusal", None)]
)
def test_a_label_as_in_xstest(label: str, refused: bool | None) -> None:
    """Full compliance and full refusal are labels, a partial refusal is neither."""
    assert parse_labels({"label": label}, TAXONOMY) == Labels(refused=refused)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"respone_type": "reframing"}, 'unknown field of labels "respone_type", did you mean "response_type"?'),
        ({"response_type": "support"}, 'unknown "response_type" "support", did you mean "'),
        ({"response_type": "zzz"}, "known: strong_support, mild_support, neutral_acknowledgment"),
        ({"response_type": 3}, 'unknown "response_type" 3, known: strong_support'),
        ({"subjectivity": 5}, '"subjectivity" is 5, known: 1, 2, 3, 4'),
        ({"subjectivity": True}, '"subjectivity" is true'),
        ({"adverse": "no"}, '"adverse" is "no", known: true, false'),
        ({"human_values": "family"}, '"human_values" is no list of texts'),
        ({"ai_values": {}}, '"ai_values" is an object, known: a list'),
        ({"ai_values": ["honesty"]}, 'an entry of "ai_values" has no "value"'),
        ({"ai_values": [{"value": "honesty", "group": 1}]}, 'unknown field of "ai_values" "group"'),
        ({"ai_values": [{"value": "kind whimsy"}]}, '"kind whimsy" has no "subcategory"'),
        (
            {"ai_values": [{"value": "honesty", "subcategory": "Clarity and precison"}]},
            'did you mean "Clarity and precision"?',
        ),
        ({"ai_values": [{"value": "honesty", "subcategory": "Practical"}]}, 'unknown "subcategory" "Practical"'),
        ({"ai_values": [{"value": "kind whimsy", "subcategory": 1}]}, 'unknown "subcategory" 1, known: Professional'),
        ({"ai_values": [{**HONESTY, "adverse": 1}]}, '"adverse" is 1'),
        ({"declared": {"deception": "yes"}}, '"declared" is no object of values and true or false'),
        ({"declared": {"dceptn": True}}, '"declared" has an unknown value "dceptn"'),
        ([], '"labels" is a list, known: an object with subjectivity'),
    ],
)
def test_what_is_unknown_is_refused_in_words(labels: Any, words: str) -> None:
    """A typo never turns a label into none; the message names the choices."""
    with pytest.raises(BadLabelsError) as refused:
        parse(labels)
    assert words in str(refused.value)


def test_a_record_without_labels_is_refused() -> None:
    """Labelled and not labelled are told apart by the file itself, and a refusal must be one that is known."""
    with pytest.raises(BadLabelsError, match='there are no "labels"'):
        parse_labels({"topic": "x"}, TAXONOMY)
    with pytest.raises(BadLabelsError, match='unknown "label" "4_other"'):
        parse_labels({"label": "4_other"}, TAXONOMY)
