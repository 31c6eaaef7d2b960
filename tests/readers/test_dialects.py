from __future__ import annotations

import json
from typing import Any

import pytest

from valueaudit.readers.content import Unreadable
from valueaudit.readers.dialects import translate
from valueaudit.readers.sides import is_shaped, parse_exchange, parse_messages, read_side
from valueaudit.transcript import Message, Role


def read(value: Any, role: str = "user") -> tuple[Message, ...]:
    """The messages of one side of a call."""
    return parse_messages(read_side(value, role) or [])


def only(message: Any, role: str = "user") -> Message:
    """The one message that this stands for."""
    (parsed,) = read([message], role)
    return parsed


USER = Message(Role.USER, "Hi")
REPLY = Message(Role.ASSISTANT, "Hello")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Hi", USER),
        ({"role": "USER", "message": "Hi"}, USER),
        ({"role": "CHATBOT", "message": "Hello"}, REPLY),
        ({"role": "MessageRole.USER", "blocks": [{"block_type": "text", "text": "Hi"}]}, USER),
        ({"type": "human", "content": "Hi"}, USER),
        ({"type": "AIMessageChunk", "content": "Hello"}, REPLY),
        ({"type": "ai", "data": {"content": "Hello"}}, REPLY),
        ({"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Hi"}}, USER),
        ({"lc": 1, "id": ["x", "AIMessageChunk"], "kwargs": {"content": "Hello", "type": "ai"}}, REPLY),
        ({"lc": 1, "id": ["x", "ChatMessage"], "kwargs": {"content": "Hello", "role": "assistant"}}, REPLY),
        ({"role": "model", "parts": [{"text": "Hel"}, {"text": "lo"}]}, REPLY),
        ({"role": "user", "parts": ["Hi"]}, USER),
        ({"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}, REPLY),
        ({"message": {"role": "assistant", "content": "Hello"}, "index": 0}, REPLY),
        ({"role": "user", "content": {"text": "Hi"}}, USER),
        ({"role": "user", "content": {"parts": [{"text": "Hi"}]}}, USER),
        ({"role": "user", "content": [{"type": "text", "text": {"value": "Hi", "annotations": []}}]}, USER),
        ({"role": "user", "content": [{"text": "Hi"}]}, USER),
        ({"role": "assistant", "content": None, "refusal": "Hello"}, REPLY),
        ({"event.name": "gen_ai.user.message", "content": "Hi"}, USER),
        ({"event.name": "gen_ai.choice", "message": {"content": "Hello"}}, REPLY),
        ({"role": "system", "content": "Be kind."}, Message(Role.SYSTEM, "Be kind.")),
    ],
)
def test_messages_of_many_frameworks_say_the_same(raw: Any, expected: Message) -> None:
    """A message is the same whichever framework wrote it down."""
    assert only(raw) == expected


CALL = Message(Role.ASSISTANT, "", ('tool call look({"a":1})',))


@pytest.mark.parametrize(
    "raw",
    [
        {"role": "assistant", "content": "", "tool_calls": [{"name": "look", "args": {"a": 1}, "type": "tool_call"}]},
        {"role": "assistant", "content": "", "toolCalls": [{"function": {"name": "look", "arguments": '{"a":1}'}}]},
        {"type": "ai", "content": "", "additional_kwargs": {"function_call": {"name": "look", "arguments": '{"a":1}'}}},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"tool_call": {"function": {"name": "look", "arguments": '{"a":1}'}}}],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"a": 1}}}]},
        {"role": "model", "parts": [{"function_call": {"name": "look", "args": {"a": 1}}}]},
        {"role": "assistant", "content": [{"toolUse": {"name": "look", "input": {"a": 1}, "toolUseId": "1"}}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "name": "look", "arguments": {"a": 1}}]},
        {"role": "assistant", "content": [{"type": "tool-call", "toolName": "look", "input": {"a": 1}}]},
        {"type": "function_call", "name": "look", "arguments": '{"a":1}', "call_id": "c"},
        {"toolCallId": "c", "toolName": "look", "input": '{"a":1}'},
    ],
)
def test_tool_calls_are_no_speech(raw: Any) -> None:
    """A tool call in any dialect is an attachment of the assistant's message."""
    assert only(raw) == CALL


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"a": 1}}}]}, '{"a":1}'),
        ({"role": "user", "content": [{"toolResult": {"content": [{"type": "text", "text": "ok"}]}}]}, "ok"),
        ({"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "ok"}]}, "ok"),
        ({"role": "tool", "content": [{"type": "tool-result", "output": {"type": "text", "value": "ok"}}]}, "ok"),
        ({"role": "tool", "content": [{"url": "u"}]}, '[{"url":"u"}]'),
        ({"role": "tool", "content": {"a": "ä"}}, '{"a":"ä"}'),
        ({"type": "tool", "content": "ok", "tool_call_id": "c"}, "ok"),
        ({"type": "function_call_output", "output": "ok"}, "ok"),
        ({"type": "function_call_output", "output": None}, ""),
    ],
)
def test_tool_results_have_the_role_tool(raw: Any, text: str) -> None:
    """What a tool gave is nobody's speech, even where the source calls it the user's."""
    assert only(raw) == Message(Role.TOOL, text)


def test_parallel_results_are_messages_of_their_own() -> None:
    """Several results in one message are several messages."""
    parts = [{"type": "tool_call_response", "response": "a"}, {"type": "tool_call_response", "response": "b"}]
    assert read([{"role": "tool", "parts": parts}]) == (Message(Role.TOOL, "a"), Message(Role.TOOL, "b"))
    content = [{"type": "tool_result", "content": "a"}, {"type": "tool_result", "content": "b"}]
    assert read([{"role": "user", "content": content}]) == (Message(Role.TOOL, "a\nb"),)


@pytest.mark.parametrize(
    ("part", "attachment"),
    [
        ({"text": "I think", "thought": True}, "thinking, not read"),
        ({"type": "reasoning", "content": "I think"}, "thinking, not read"),
        ({"inlineData": {"mimeType": "image/png", "data": "x"}}, "image"),
        ({"fileData": {"mimeType": "application/pdf"}}, "file"),
        ({"fileData": None}, "part without a type"),
        ({"type": "blob", "modality": "audio", "content": "x"}, "audio"),
        ({"type": "uri", "mime_type": "video/mp4", "uri": "x"}, "video"),
        ({"block_type": "chart"}, 'part of type "chart"'),
        ({"odd": 1}, "part without a type"),
        (None, 'part of type "null"'),
        ({"message_content": {"type": "image", "image": {}}}, "image"),
    ],
)
def test_what_is_not_said_is_an_attachment(part: Any, attachment: str) -> None:
    """Thinking, pictures and files are named, not read."""
    message = only({"role": "assistant", "parts": [{"text": "Hello"}, part]})
    assert message == Message(Role.ASSISTANT, "Hello", (attachment,))


def test_items_of_the_responses_api() -> None:
    """Reasoning and calls of built-in tools are messages without words."""
    items = [
        {"type": "reasoning", "summary": []},
        {"type": "web_search_call", "action": {"query": "coats"}},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    ]
    assert read({"output": items}, "assistant") == (
        Message(Role.ASSISTANT, "", ("thinking, not read",)),
        Message(Role.ASSISTANT, "", ('tool call web_search_call({"query":"coats"})',)),
        REPLY,
    )


def test_definitions_of_tools_and_placeholders_are_no_messages() -> None:
    """LangGraph puts the definitions of tools among the messages, templates put placeholders."""
    definition = {"role": "tool", "content": {"type": "function", "function": {"name": "look"}}}
    assert read([definition, {"type": "placeholder", "name": "history"}, {"role": "user", "content": "Hi"}]) == (USER,)


def test_odd_calls_are_named_as_far_as_they_go() -> None:
    """A tool call that is no object, or has no name, is still seen."""
    message = only({"role": "assistant", "content": "", "tool_calls": ["x", {"name": "look"}]})
    assert message.attachments == ("tool call without a name()", "tool call look()")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([{"role": 3, "content": "Hi"}], "the role of a message is a number, not a string"),
        ([{"role": "narrator", "content": "Hi"}], 'messages[0] has the unknown role "narrator"; known are'),
        ({"messages": 3}, '"messages" is not a list'),
        ([["a"], ["b"]], "2 lists of messages in one call"),
    ],
)
def test_broken_messages_are_refused(value: Any, reason: str) -> None:
    """What is wrong with a message is said without its words."""
    with pytest.raises(Unreadable) as refused:
        read(value)
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "asked",
    [
        "Hi",
        '"\\"Hi\\""',
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [[{"type": "human", "content": "Hi"}]]},
        {"messages": '[{"role": "user", "content": "Hi"}]'},
        {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
        {"contents": "Hi", "model": "m"},
        {"prompt": "Hi"},
        {"prompts": ["Hi"]},
        {"input": "Hi"},
        {"question": "Hi"},
        {"args": ["Hi"]},
        {"args": [], "kwargs": {"messages": [{"role": "user", "content": "Hi"}]}},
        '{"messages": [{"role": "user", "content": "Hi"}]}',
        '"{\\"prompt\\": \\"Hi\\"}"',
        {"role": "user", "content": "Hi"},
    ],
)
def test_inputs_of_many_shapes_say_the_same(asked: Any) -> None:
    """What a model was told is found wherever frameworks put it."""
    assert read(asked) == (USER,)


@pytest.mark.parametrize(
    "replied",
    [
        "Hello",
        {"choices": [{"message": {"role": "assistant", "content": "Hello"}}, {"message": {"content": "No"}}]},
        {"choices": [{"text": "Hello"}]},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}}]},
        {"content": {"role": "model", "parts": [{"text": "Hello"}]}},
        {
            "generations": [
                [{"text": "Hello", "message": {"lc": 1, "id": ["AIMessage"], "kwargs": {"content": "Hello"}}}]
            ]
        },
        {"generations": [[{"text": "Hello"}]]},
        {"generations": ["Hello"]},
        {"output": [{"type": "message", "role": "assistant", "content": "Hello"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
        {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"},
        [{"type": "text", "text": "Hello"}],
        {"completion": "Hello"},
        {"text": "Hello", "finish_reason": "stop"},
        {"message": {"role": "assistant", "blocks": [{"block_type": "text", "text": "Hello"}]}},
    ],
)
def test_outputs_of_many_shapes_say_the_same(replied: Any) -> None:
    """What a model answered is found wherever frameworks put it; of several answers the first is taken."""
    assert read(replied, "assistant") == (REPLY,)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "",
        [],
        {},
        [3],
        {"args": ["thread_1", "run_1"]},
        {"args": [3]},
        [{"a": 1}],
        {"city": "Tokyo"},
        {"content": [3]},
        {"choices": []},
        {"output": {"a": 1}},
    ],
)
def test_what_is_no_speech_is_not_read(value: Any) -> None:
    """Arguments and results of functions are not taken for words."""
    assert read_side(value, "assistant") is None
    assert read_side(value, "user") is None


@pytest.mark.parametrize(
    "value",
    [
        {"system": "Be kind.", "messages": [{"role": "user", "content": "Hi"}]},
        {"system": [{"type": "text", "text": "Be kind."}], "input": "Hi"},
        {"system_instructions": [{"type": "text", "content": "Be kind."}], "input": "Hi"},
        {"systemInstruction": {"parts": [{"text": "Be kind."}]}, "contents": "Hi"},
        {"config": {"system_instruction": "Be kind."}, "contents": "Hi"},
    ],
)
def test_a_system_prompt_beside_the_messages_comes_first(value: Any) -> None:
    """A prompt that every framework puts elsewhere is the first message."""
    assert read(value) == (Message(Role.SYSTEM, "Be kind."), USER)


@pytest.mark.parametrize("system", [3, "", [3], {"a": 1}])
def test_a_system_prompt_without_words_is_none(system: Any) -> None:
    """Nothing is made up where the prompt is in no form that we know."""
    assert read({"system": system, "prompt": "Hi"}) == (USER,)


def test_tool_calls_alone_are_one_reply() -> None:
    """A reply of nothing but tool calls, as the AI SDK writes it, is one message."""
    calls = [{"toolCallId": "1", "toolName": "a", "input": {}}, {"toolCallId": "2", "toolName": "b", "input": {}}]
    assert read(calls, "assistant") == (Message(Role.ASSISTANT, "", ("tool call a({})", "tool call b({})")),)


def test_a_reply_that_repeats_the_question_is_not_doubled() -> None:
    """A graph that gives back all its messages gives the conversation once, with its system prompt."""
    asked = {"system": "Be kind.", "messages": [{"role": "user", "content": "Hi"}]}
    replied = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
    assert parse_exchange(asked, replied) == (Message(Role.SYSTEM, "Be kind."), USER, REPLY)


def test_whatever_a_model_gives_was_said() -> None:
    """The object that a model gives as its reply is its words; the result of another step is not."""
    assert parse_exchange("Hi", {"score": 1}) == (USER, Message(Role.ASSISTANT, '{"score":1}'))
    assert parse_exchange("Hi", {"score": 1}, is_call=False) == (USER,)


def test_text_that_only_looks_like_json_is_text() -> None:
    """Brackets at the start of what a user writes, or JSON that is nested beyond reason, stay text."""
    often: Any = "Hi"
    for _ in range(4):
        often = json.dumps(often)
    assert read(often) == (Message(Role.USER, '"Hi"'),)
    assert read("[sic] Hi") == (Message(Role.USER, "[sic] Hi"),)
    deep = "[" * 200 + "]" * 200
    assert read(deep) == (Message(Role.USER, deep),)


def test_a_history_beside_the_question_comes_before_it() -> None:
    """A chain that is given the conversation so far and the new question was told both."""
    history = [{"type": "human", "content": "Hi"}, {"type": "ai", "content": "Hello"}]
    assert read({"chat_history": history, "input": "Bye"}) == (USER, REPLY, Message(Role.USER, "Bye"))
    assert read({"history": "", "question": "Hi"}) == (USER,)


def test_a_message_that_is_no_object_is_refused() -> None:
    """What stands in the place of a message and is none is named."""
    with pytest.raises(Unreadable) as refused:
        translate(3, "user")
    assert refused.value.reason == "a message is a number, not an object"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("__end__", False),
        ({"output": "Hello"}, False),
        ({"messages": [{"type": "ai", "content": "Hello"}]}, True),
        ('{"role": "assistant", "content": "Hello"}', True),
        ({"output": {"role": "assistant", "content": "Hello"}}, True),
        (None, False),
    ],
)
def test_a_message_is_told_from_a_bare_string(value: Any, expected: bool) -> None:
    """A reply has the shape of one where something in it is a message."""
    assert is_shaped(value) is expected
