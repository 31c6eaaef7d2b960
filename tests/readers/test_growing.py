from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.readers.building import build_transcript
from valueaudit.readers.growing import Candidate, Traces, find_parts
from valueaudit.transcript import LeftOut, Location, Message, Role, Transcript

WHERE = Location("log.jsonl", 1, None)
ROLES = {"u": Role.USER, "a": Role.ASSISTANT, "s": Role.SYSTEM, "t": Role.TOOL}


def candidate(words: str, *, is_call: bool = True, is_shaped: bool = True, trace: str | None = None) -> Candidate:
    """A conversation in which `u1 a1` stands for a user who says u1 and an assistant who says a1; `a` says nothing."""
    messages = [Message(ROLES[word[0]], word if word[1:] else "") for word in words.split()]
    return Candidate(build_transcript(messages, WHERE), is_call, is_shaped, trace)


def kept(*candidates: Candidate) -> list[bool]:
    """Which of the candidates are conversations of their own."""
    return [reason is None for reason in find_parts(candidates)]


def test_a_growing_conversation_is_its_last_state() -> None:
    """Earlier calls of a conversation are part of the last one, in any order."""
    states = [candidate("s1 u1 a1"), candidate("s1 u1 a1 u2 a2"), candidate("s1 u1 a1 u2 a2 u3 a3")]
    assert kept(*states) == [False, False, True]
    assert kept(*reversed(states)) == [True, False, False]


def test_a_call_for_a_tool_is_part_of_what_follows() -> None:
    """Calls that end in a tool call belong to the conversation that goes on with the result."""
    assert kept(candidate("u1 a"), candidate("u1 a t1 a2")) == [False, True]


def test_replies_to_the_same_question_that_differ_are_two() -> None:
    """Two answers to one question are two conversations."""
    assert kept(candidate("u1 a1"), candidate("u1 a2")) == [True, True]


def test_of_equal_calls_the_later_counts() -> None:
    """A call logged by two layers counts once, as the inner one."""
    assert kept(candidate("u1 a1"), candidate("u1 a1")) == [False, True]
    assert kept(candidate("u1 a t1 a1"), candidate("u1 a1")) == [True, False]


def test_a_step_around_calls_counts_for_what_no_call_said() -> None:
    """The run of an agent counts only where its reply is in none of its calls."""
    assert kept(candidate("u9 a1", is_call=False), candidate("u1 a1")) == [False, True]
    assert kept(candidate("u9 a2", is_call=False), candidate("u1 a1")) == [True, True]
    assert kept(candidate("a2", is_call=False), candidate("u1 a1")) == [False, True]


def test_a_bare_string_is_a_reply_only_where_no_call_replied() -> None:
    """What a routing function gives is nobody's reply; in a trace without model calls a string is all there is."""
    route = candidate("u1 a9", is_call=False, is_shaped=False, trace="t1")
    assert kept(route, candidate("u1 a1", trace="t1")) == [False, True]
    assert kept(route, candidate("u2 a1", trace="t2")) == [True, True]
    assert kept(route, candidate("u1 a", trace="t1")) == [True, True]
    assert kept(route) == [True]


def test_a_reply_to_nothing_counts_where_it_is_nowhere_else() -> None:
    """A call whose input is not known is a conversation if nobody else says what it says."""
    assert kept(candidate("a1"), candidate("u1 a1")) == [False, True]
    assert kept(candidate("a2"), candidate("u1 a1")) == [True, True]


def test_a_call_without_words_is_no_conversation() -> None:
    """Nothing but tool calls and their results is nobody's speech."""
    assert find_parts([candidate("a t1")]) == ["no words of a user or an assistant in it"]


def test_traces_of_a_thread_are_looked_at_together() -> None:
    """Turns that are traces of their own are one conversation where they name their thread, whenever they name it."""
    for joined, expected in ((True, [LeftOut, Transcript]), (False, [Transcript, Transcript])):
        traces = Traces()
        traces.add(candidate("u1 a1", trace="t1"))
        traces.add(candidate("u1 a1 u2 a2", trace="t2"))
        if joined:
            traces.join("t1", "thread")
            traces.join("t2", "thread")
        assert [type(item) for item in traces.close()] == expected


def test_without_a_trace_each_stands_alone() -> None:
    """What belongs to no trace is compared with nothing."""
    traces = Traces()
    traces.add(candidate("u1 a1"))
    traces.add(candidate("u1 a1"))
    assert [type(item) for item in traces.close()] == [Transcript, Transcript]


lines = st.lists(st.sampled_from(["u1", "a1", "u2", "a2", "a", "t1", "s1"]), min_size=1, max_size=6).map(" ".join)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(lines, st.booleans()), max_size=6))
def test_no_reply_of_a_call_is_lost(drawn: list[tuple[str, bool]]) -> None:
    """Whatever is left out, every word that a model said in a call is in a conversation that is kept."""
    candidates = [candidate(words, is_call=is_call) for words, is_call in drawn]
    survivors = {
        message.text
        for each, stays in zip(candidates, kept(*candidates), strict=True)
        for message in each.transcript.messages
        if stays
    }
    for each in candidates:
        if each.is_call:
            assert {m.text for m in each.transcript.messages if m.role is Role.ASSISTANT and m.text} <= survivors


def test_a_call_is_compared_with_a_hundred_others() -> None:
    """Of thousands of calls that say the same in other orders, each is looked for in the longest and latest hundred."""
    orders = [candidate(" ".join(words)) for words in permutations(("u1", "a1", "u2", "a2", "u3", "a3"))]
    assert all(kept(*orders))
    assert not kept(orders[700], *orders)[0]
    assert kept(orders[10], *orders)[0]


@settings(deadline=None, derandomize=True)
@given(st.lists(lines, max_size=6))
def test_a_call_is_left_out_where_another_has_its_words_in_order(drawn: list[str]) -> None:
    """The one rule of calls that ask and reply, held against its plain statement."""
    calls = ["u1 " + words for words in drawn]
    said = [[word for word in words.split() if word in ("u1", "a1", "u2", "a2")] for words in calls]
    for words, stays in zip(said, kept(*map(candidate, calls)), strict=True):
        others = [other for other in said if other is not words and len(other) >= len(words)]
        assert stays or any(comes_in(words, other) for other in others)
        assert not stays or not any(len(other) > len(words) and comes_in(words, other) for other in others)


def comes_in(words: list[str], known: list[str]) -> bool:
    """Whether these words come in this order."""
    rest = iter(known)
    return all(word in rest for word in words)
