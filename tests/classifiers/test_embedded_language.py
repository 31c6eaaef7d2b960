from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.classifiers.language import SUPPORTED, UNKNOWN, find_language

SENTENCES = {
    "en": "You can find the invoice under your account, and if it is not there we will send it to you again.",
    "de": "Sie finden die Rechnung in Ihrem Konto, und wenn sie nicht da ist, schicken wir sie Ihnen noch einmal.",
    "fr": "Vous trouverez la facture dans votre compte, et si elle n'y est pas nous vous l'enverrons encore une fois.",
    "es": "Puede encontrar la factura en su cuenta, y si no está ahí se la enviamos otra vez por correo.",
    "it": "Può trovare la fattura nel suo conto, e se non è lì la inviamo di nuovo per posta.",
    "pt": "Você pode encontrar a fatura na sua conta, e se não estiver lá nós a enviamos mais uma vez.",
    "nl": "U kunt de factuur in uw account vinden, en als het er niet is sturen wij het nog een keer naar u.",
    "pl": "Fakturę można znaleźć na koncie, a jeśli jej tam nie ma, to wyślemy ją jeszcze raz do pana.",
    "ja": "請求書はアカウントで確認できます。見つからない場合はもう一度お送りします。",
    "zh": "您可以在账户中找到发票，如果没有，我们会再次发送给您。",
    "ko": "계정에서 청구서를 찾을 수 있습니다.",
    "ru": "Вы можете найти счёт в своём аккаунте.",
    "ar": "يمكنك العثور على الفاتورة في حسابك.",
    "el": "Μπορείτε να βρείτε το τιμολόγιο στον λογαριασμό σας.",
    "hi": "आप अपने खाते में चालान पा सकते हैं।",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_tells_its_language(language: str) -> None:
    """An ordinary sentence is told by its function words or its script."""
    assert find_language([SENTENCES[language]]) == language


@pytest.mark.parametrize(
    "text", ["", "42", "def f(x): return x ** 2", "That's a good one!", "Who's Lisa Wu?", "Acme 3000", "¡Olé!"]
)
def test_too_little_text_is_unclear_or_english(text: str) -> None:
    """Code, names and a few words are never called a foreign language."""
    assert find_language([text]) in (None, "en")


def test_many_unknown_words_are_unknown_only_outside_ascii() -> None:
    """A long list in ASCII may be code or names; long text with other letters is a language that no rule can read."""
    assert find_language([" ".join(f"token{chr(97 + i % 26)}" for i in range(40))]) is None
    assert find_language([" ".join(["țuțuluș"] * 30)]) == UNKNOWN
    assert find_language([" ".join(["țuțuluș"] * 40) + " the"]) == UNKNOWN
    assert find_language([" ".join(["alpha"] * 40) + " the"]) is None
    assert find_language(["ꙮ" * 10 + "ᚠᚢᚦᚨᚱᚲ" * 5]) == UNKNOWN


def test_a_reply_that_hides_in_another_script_is_not_english() -> None:
    """Three letters in ten of another script decide, so that a little English cannot make the rest readable."""
    assert find_language(["Sure, here you are.", SENTENCES["ja"]]) == "ja"
    assert find_language([SENTENCES["en"] * 3, "日本"]) == "en"


@given(st.lists(st.text(), max_size=4))
def test_any_text_has_an_answer(texts: list[str]) -> None:
    """Any text is told, unknown or unclear, without an error."""
    language = find_language(texts)
    assert language is None or language == UNKNOWN or len(language) == 2
    assert set(SUPPORTED) == {"en", "de", "fr", "es", "it", "pt"}
