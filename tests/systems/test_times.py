"""Times as systems write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.systems._times import read_moment

CREATED = datetime(2025, 2, 7, 9, 39, 21, 211_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (None, None),
        ("", None),
        ("..", None),
        ("soon", None),
        (1_700_000_000, None),
        ("2025-13-45T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2020-08-18T  15:58:06+03:00", None),
        ("2025-02-07T09:39:21.211Z", CREATED),
        ("2025-02-07 09:39:21.211", CREATED),
        (" 2025-02-07T12:39:21.211+03:00", CREATED),
        ("2017-03-07T11:10:42+02:00", datetime(2017, 3, 7, 9, 10, 42, tzinfo=UTC)),
    ],
)
def test_reads_times_in_utc(text: object, at: datetime | None) -> None:
    found = read_moment(text)
    assert found == at
    assert found is None or found.tzinfo is UTC
