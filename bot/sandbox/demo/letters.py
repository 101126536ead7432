"""Letters that are safe to print: terminal escapes made visible, what only confuses widths taken out, emoji by name."""

from __future__ import annotations

import re

#: Names as Slack knows them → the character. Those the bot and people of this trade use; others stay `:name:`.
EMOJI = {
    "+1": "👍", "-1": "👎", "thumbsup": "👍", "thumbsdown": "👎", "white_check_mark": "✅", "heavy_check_mark": "✔",
    "x": "❌", "warning": "⚠", "red_circle": "🔴", "large_green_circle": "🟢", "large_yellow_circle": "🟡",
    "large_orange_circle": "🟠", "large_blue_circle": "🔵", "white_circle": "⚪", "black_circle": "⚫",
    "construction": "🚧", "arrow_forward": "▶", "repeat": "🔁",
    "black_right_pointing_double_triangle_with_vertical_bar": "⏭",
    "small_blue_diamond": "🔹", "wrench": "🔧", "hourglass": "⌛", "hourglass_flowing_sand": "⏳", "new": "🆕",
    "black_circle_for_record": "⏺", "tada": "🎉", "game_die": "🎲", "speech_balloon": "💬", "eyes": "👀",
    "fire": "🔥", "rocket": "🚀", "bug": "🐛", "bell": "🔔", "no_bell": "🔕", "lock": "🔒", "unlock": "🔓",
    "mag": "🔍", "memo": "📝", "link": "🔗", "paperclip": "📎", "clock9": "🕘", "calendar": "📅",
    "chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "bar_chart": "📊", "no_entry": "⛔",
    "rotating_light": "🚨", "bulb": "💡", "raised_hand": "✋", "point_right": "👉", "point_up": "☝", "wave": "👋",
    "question": "❓", "exclamation": "❗", "heavy_minus_sign": "➖", "zzz": "💤", "robot_face": "🤖", "smile": "😄",
    "slightly_smiling_face": "🙂", "pray": "🙏", "clap": "👏", "heart": "❤", "star": "⭐", "100": "💯",
}  # fmt: skip

_NAMED = re.compile(r":([a-z0-9_+-]+):")
_BREAKS = re.compile(r"\r\n|[\r\v\f\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
#: Bidirectional controls, zero-width signs, joiners, variation selectors, tags and skin tones: nothing one can read,
#: and terminals disagree about the cells they take.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200d-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
_NON_JOINER = re.compile(r"(?<![^\W\d_])\u200c|\u200c(?![^\W\d_])")
_SMALL = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def harmless(text: str) -> str:
    """The text with nothing in it that a terminal would obey; only `\\n` ends a line."""
    text = _BREAKS.sub("\n", text).replace("\t", "    ")
    return _NON_JOINER.sub("", _UNSEEN.sub("", _CONTROLS.sub(_picture, text)))


def line(text: str) -> str:
    """The same on one line."""
    return " ".join(harmless(text).split())


def emoji(name: str) -> str:
    """The character of that name, `:name:` for one that is not known here."""
    return EMOJI.get(name.partition("::")[0], f":{name}:")


def with_emoji(text: str) -> str:
    """Plain text with its `:names:` as characters."""
    return _NAMED.sub(lambda found: emoji(found[1]), text)


def small(number: int) -> str:
    """The number as a note's mark: `¹²`."""
    return str(number).translate(_SMALL)


def _picture(found: re.Match[str]) -> str:
    """The control's own picture; there are none for the second set and for halves of characters."""
    code = ord(found[0])
    if code == 0x7F:
        return "␡"
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
