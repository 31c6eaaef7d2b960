"""Which language a text is in, so that rules never call a text clean that they cannot read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import repeat

import numpy as np
import numpy.typing as npt

from valueaudit.classifiers.words import blank_marks, split_letters

SUPPORTED = ("en", "de", "fr", "es", "it", "pt")
UNKNOWN = "unknown"
_FOREIGN_SHARE = 0.3
_LEAST_SHARE = 0.12
_FEWEST_WORDS = 12
_LETTER = re.compile(r"[^\W\d_]")
_SCRIPTS = tuple(
    (name, re.compile(f"[{ranges}]"))
    for name, ranges in (
        ("ja", "\u3040-\u30ff"),
        ("ko", "\u1100-\u11ff\uac00-\ud7af"),
        ("zh", "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ffff"),
        ("ru", "\u0400-\u052f"),
        ("ar", "\u0600-\u06ff\u0750-\u077f"),
        ("he", "\u0590-\u05ff"),
        ("hi", "\u0900-\u097f"),
        ("th", "\u0e00-\u0e7f"),
        ("el", "\u0370-\u03ff\u1f00-\u1fff"),
    )
)
_NOT_LATIN = re.compile(
    "[\u0370-\u1cff\u1f00-\u1fff\u2c80-\u2dff\u3000-\ua71f\ua800-\ud7ff\U00010000-\U0001d3ff\U00020000-\U0002ffff]"
)

_FUNCTION_WORDS = {
    "en": (
        "the of and to in that is was for it with as be on not at by this are from or have an they which you had "
        "but what your can will their if would about how i my do we there when so could should just its it's me s "
        "t"
    ),
    "de": (
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus "
        "er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber "
        "vor zur bis mehr durch man ich du wir ihr ihre kann wenn mein was dir mir bitte kein keine"
    ),
    "fr": (
        "de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec ou mais "
        "son sa cette aux comme je vous nous votre vos être avez peut si leur elle tout bien mon ma c'est j'ai tu "
        "l d qu n"
    ),
    "es": (
        "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si "
        "sin sobre este ya entre cuando todo esta ser son dos también fue había era muy hasta desde mi porque qué "
        "puede usted tu te hay"
    ),
    "it": (
        "di e il la che è in un per non una sono si da con del le dei al come più i lo ma gli alla ha delle nel "
        "anche della questo mi se su ti o puoi essere molto cosa ho suo sua tuo questa ci perché dal ai quando"
    ),
    "pt": (
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à "
        "seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela você meu minha são pode "
        "me seus uns lhe"
    ),
    "nl": (
        "de het een en van ik te dat die in is niet op met voor zijn er aan ook als maar om bij nog uit naar dan "
        "wat je hij ze wordt hebben deze kan heeft worden geen mijn jouw jij u wij door over"
    ),
    "sv": (
        "och att det i en jag som på är av för med till den inte om ett han men var sig så från vi du kan de när "
        "här eller nu hur mycket bara ska har mig min din"
    ),
    "da": (
        "og i at det er en til af på den med for ikke der de som et jeg har kan du om men vi var fra så hvad dig "
        "mig skal eller efter ud hvis min din også når bliver være"
    ),
    "pl": (
        "i w nie na to się z że do jest o jak ale po co tak za od mnie czy dla by już są przez tylko może ja ty "
        "być który ma te jego jej aby oraz"
    ),
    "tr": (
        "bir ve bu da de için ile çok ne ama daha var mı gibi olarak en kadar sonra değil ben sen olan her ki ya "
        "veya nasıl şey"
    ),
    "id": (
        "yang dan di itu ini dengan untuk tidak dari dalam akan pada ke saya anda adalah juga bisa atau ada kami "
        "kita oleh sebagai dapat lebih karena"
    ),
    "ro": (
        "și de la în a cu nu o pe că este un să din se pentru mai sunt care am ce dar ai fi sau au ca dacă este mă te"
    ),
    "cs": (
        "a se v na je že o s z do to i ve jako pro za by si ale nebo jsem jsou být který jeho však tak než od mi "
        "co když"
    ),
    "fi": "ja on ei että se oli hän mutta en kun niin ole mitä tämä minä sinä ovat myös jos kuin voi sen olla sitä",
    "hu": "a az és hogy nem is egy ez de meg csak van ha vagy mint én te még már el ki kell volt lehet",
    "vi": "và của là có không được cho một các người với trong tôi bạn này đã những để khi như về",
}
_LANGUAGES = tuple(_FUNCTION_WORDS)


def _group_words() -> tuple[dict[str, int], npt.NDArray[np.int64]]:
    """The group of each word, and a row for each group: a one under every language that its words are of."""
    languages_of: dict[str, list[str]] = {}
    for language, listed in _FUNCTION_WORDS.items():
        for word in set(listed.split()):
            # one letter is as likely what is left of an English contraction
            if len(word) > 1 or language in SUPPORTED:
                languages_of.setdefault(word, []).append(language)
    rows: dict[tuple[str, ...], int] = {(): 0}
    groups = {word: rows.setdefault(tuple(languages), len(rows)) for word, languages in languages_of.items()}
    return groups, np.array([[language in row for language in _LANGUAGES] for row in rows], np.int64)


# group 0 is that of all other words
_GROUP_OF, _LANGUAGES_OF = _group_words()
FUNCTION_WORDS = frozenset(_GROUP_OF)


def find_language(texts: Iterable[str]) -> str | None:
    """The language of some texts: a two-letter code, `unknown` where it is none that can be told, None if unclear.

    Unclear are texts of few words, such as code or a name; rules made for English may read them. Letters of another
    script decide as soon as they are three in ten.
    """
    text = "\n".join(texts)
    plain = blank_marks(text).replace("\u2019", " ")
    if not plain.isascii() and (script := _find_script(plain)) is not None:
        return script
    words = split_letters(plain)
    groups = np.fromiter(map(_GROUP_OF.get, words, repeat(0)), np.intp, len(words))
    hits: list[int] = (np.bincount(groups, minlength=len(_LANGUAGES_OF)) @ _LANGUAGES_OF).tolist()
    # a tie goes to the language listed first
    count = max(hits)
    if not count:
        return None if len(words) < _FEWEST_WORDS or text.isascii() else UNKNOWN
    best = _LANGUAGES[hits.index(count)]
    if len(words) < _FEWEST_WORDS:
        clear = best in SUPPORTED and count >= 2 and hits.count(count) == 1
        return best if clear else None
    if count / len(words) < _LEAST_SHARE:
        return None if text.isascii() else UNKNOWN
    return best


def _find_script(text: str) -> str | None:
    foreign = _NOT_LATIN.findall(text)
    if not foreign or len(foreign) < _FOREIGN_SHARE * len(_LETTER.findall(text)):
        return None
    sample = "".join(foreign)
    counts = {name: len(pattern.findall(sample)) for name, pattern in _SCRIPTS}
    if counts["ja"]:
        # Japanese mixes kana with the characters that Chinese is written in
        counts["ja"] += counts["zh"]
    name = max(counts, key=lambda script: counts[script])
    return name if counts[name] else UNKNOWN
