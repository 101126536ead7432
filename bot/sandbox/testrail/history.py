"""The stream that the demo looks at: R118 "Release 5.2 regression" and the twelve closed runs before it.

R118: 74 passed, 3 failed (one new, one still failing with a defect, one flaky), 1 blocked, 2 untested for Tom.
Against R117: two fixed; one flaky that passes now; one passed on retry; two not run.
"""

from __future__ import annotations

from bot.sandbox.testrail.company import REGRESSION
from bot.sandbox.testrail.model import BLOCKED, FAILED, PASSED, Run, Test
from bot.sandbox.testrail.storyteller import DAY, HOUR, LETTERS, Storyteller

TOM, LEA = 7, 8

#: What became of single cases (by place in the suite, from 0) in R106 … R117, oldest first; all others passed.
PAST = {
    4: "PPPFPPPPPPPP",
    12: "PPPPPPPPPFFF",  # fixed in R118
    17: "PPPPPPPPFFFF",  # still fails in R118
    33: "PPPPPPPPPPPF",  # fixed in R118
    51: "PFPPFPPFPFPP",  # flaky, fails in R118
    60: "PFPFPPFPFPFP",  # flaky, passes in R118
    61: "PPPRPPPPPPPP",
    70: "PPPPPPPPPPPB",  # still blocked in R118
    74: "PPPPPPPPPUPP",
}
#: R109 was a bad day: the payment provider was down.
BAD_DAY, BAD_CASES = 3, range(50, 60)

NEW, STILL, FLAKY, BLOCK, RETRIED, TALKED = 43, 17, 51, 70, 45, 5
UNTOUCHED = (78, 79)


def tell_history(teller: Storyteller) -> None:
    """R106 to R117, one every second day, each closed within a day."""
    for place in range(12):
        age_s = (12 - place) * 2 * DAY
        run = teller.run(
            106 + place,
            REGRESSION,
            f"Release 5.2 regression, build {5200 + 7 * place}",
            age_s=age_s,
            milestone_id=7,
            refs="REL-52",
        )
        teller.play(run, _statuses(place), since_s=age_s - HOUR, until_s=age_s - 7 * HOUR)
        teller.finish(run, ago_s=age_s - 8 * HOUR)


def tell_release(teller: Storyteller) -> Run:
    """R118: begun six hours ago, the last result twelve minutes ago."""
    run = teller.run(
        118,
        REGRESSION,
        "Release 5.2 regression",
        age_s=6 * HOUR,
        milestone_id=7,
        refs="REL-52, WEB-2100",
        description="Last regression before **5.2**. Ask Ana before closing.",
    )
    tests = teller.store.tests_of(run)
    for place, test in enumerate(tests):
        if place in UNTOUCHED:
            test.assignedto_id = TOM
        elif place not in (NEW, STILL, FLAKY, BLOCK, RETRIED):
            teller.say(test, PASSED, ago_s=5 * HOUR - 150 * place)
    _tell_failures(teller, tests)
    return run


def _tell_failures(teller: Storyteller, tests: list[Test]) -> None:
    teller.say(tests[RETRIED], FAILED, ago_s=3 * HOUR, by=LEA, comment="Provider answered 503 once, trying again.")
    teller.say(tests[RETRIED], PASSED, ago_s=2 * HOUR, by=LEA)
    teller.say(
        tests[NEW],
        FAILED,
        ago_s=12 * 60,
        by=TOM,
        comment="<p>The postal code is <strong>refused</strong>:</p><ul><li>8010 Graz: no</li><li>1010 Wien: "
        'yes</li></ul><p>See <a href="https://wiki.acme.example/addresses">the rules</a> &amp; the log.</p>',
        version="5.2.0-rc3",
        elapsed="3m 20s",
    )
    teller.say(
        tests[STILL],
        FAILED,
        ago_s=95 * 60,
        by=LEA,
        defects="WEB-2291",
        version="5.2.0-rc3",
        comment="Sort by price is **unstable** between pages.\n\n1. open `/search?q=shoe`\n2. go to page 2\n\n"
        "> same as in build 5277",
    )
    teller.say(tests[FLAKY], FAILED, ago_s=70 * 60, by=TOM, comment="Element #otp not found after 30 s.")
    teller.say(tests[BLOCK], BLOCKED, ago_s=65 * 60, by=LEA, comment="Test account locked, waiting for IT.")
    teller.say(tests[TALKED], None, ago_s=50 * 60, by=TOM, comment="Looked at it again with Lea: fine.")


def _statuses(place: int) -> list[int]:
    row = [PASSED] * 80
    for case, letters in PAST.items():
        row[case] = LETTERS[letters[place]]
    if place == BAD_DAY:
        for case in BAD_CASES:
            row[case] = FAILED
    return row
