"""Foreign text in GitHub-flavoured Markdown: no link, mention, image, HTML or table cell that we did not write."""

from __future__ import annotations

import re

from valueaudit.renderers.visible import visible

NOTHING = "–"

# A word that GitHub makes no more of than a word, where it does not begin a line: letters, digits, mild punctuation and
# one colon. Links, mentions, issue numbers, emoji codes, mathematics and HTML need another character, or `www.`.
_PLAIN_WORD = re.compile(r"""["'(]*[\w%.,/+≤≥–'-]*(?::\w[\w.-]*)?["'):;,.!?]*""")
_WWW = re.compile(r"www\.", re.IGNORECASE)
_BACKTICKS = re.compile("`+")
_PIPE = re.compile(r"(\\*)\|")


def code(text: str, *, cell: bool = False) -> str:
    """A text as a code span, in which nothing is markup; in a table `cell` its pipes are escaped."""
    shown = visible(text)
    if not shown.strip():
        return NOTHING
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    span = f"{fence}{pad}{shown}{pad}{fence}"
    # The cell is cut at pipes before code spans are looked for; a backslash before the pipe must not shield ours.
    return _PIPE.sub(lambda found: found[1] * 2 + "\\|", span) if cell else span


def sentence(text: str, *, cell: bool = False) -> str:
    """A text as running words, for the middle of a line; words that might be more than words become code spans."""
    return " ".join(_build_word(word, cell) for word in visible(text).split(" ")).strip()


def _build_word(word: str, cell: bool) -> str:
    if not word:
        return ""
    if _PLAIN_WORD.fullmatch(word) and not _WWW.search(word):
        return word.replace("_", "\\_")
    return code(word, cell=cell)
