"""What people wrote in Slack, in words that mean the same elsewhere."""

from __future__ import annotations

import pytest

from bot.domain.errors import OurError
from bot.slack.spoken import in_words, labels_in, message_in_words


async def _name(user: str) -> str:
    if user != "U2":
        raise OurError("Slack does not tell.")
    return "Zoe Park"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fails <@U2> a &lt; b &amp; c", "fails @Zoe Park a < b & c"),
        ("<@U9|max> and <@U8>", "@max and @U8"),
        ("<#C1|general> <#C2>", "#general #C2"),
        ("<https://x.test|lbl> <https://x.test/?a=1&amp;b=2>", "lbl (https://x.test) https://x.test/?a=1&b=2"),
        ("<https://x.test|x.test>", "https://x.test"),
        ("<!channel> <!subteam^S1|@qa> <!date^1^{date}|today>", "@channel @qa today"),
        ("&lt;@U2&gt; &nbsp; List&lt;String&gt;", "<@U2> &nbsp; List<String>"),
    ],
)
async def test_a_message_in_words(text: str, words: str) -> None:
    assert await message_in_words(text, _name) == words


async def test_typed_words_take_the_labels_that_slack_sent_along() -> None:
    labels = labels_in("note R1 <#C1|general> <https://x.test/a|lbl> <https://x.test/a/b>")
    said = await in_words("<#C1> https://x.test/a https://x.test/a/b a &lt; List<String>", _name, labels)
    assert said == "#general lbl (https://x.test/a) https://x.test/a/b a &lt; List<String>"
