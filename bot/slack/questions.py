"""What is asked, wherever it was asked: words, where the answer goes, who may read it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.postman import ReturnPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `key` is the same for every delivery of it.

    `public` answers, errors too, where everybody reads them (mentions, direct messages); `share` publishes the answer
    but tells errors to the asker alone; `clicked_share` says who shared it; `in_place` answers where the click was.
    `trigger` opens a dialog, once and within three seconds.
    """

    text: str
    back: ReturnPath
    key: str = ""
    trigger: str = ""
    public: bool = False
    share: bool = False
    clicked_share: bool = False
    in_place: bool = False
