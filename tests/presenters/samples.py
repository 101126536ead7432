"""One sample of each kind of message, as a day at Acme brings them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.access import AccessRequest, Grant
from bot.domain.acts import (
    Append,
    Audit,
    Bulk,
    BulkItem,
    Close,
    Delete,
    Edit,
    Ended,
    Entry,
    Named,
    Proposal,
    Receipt,
    Recent,
    Report,
    Reported,
    Seen,
    Start,
)
from bot.domain.answers import (
    Complaint,
    ConnectionView,
    ContextSet,
    FailedTest,
    Failures,
    HelpIndex,
    HelpVerb,
    Here,
    Identity,
    Menu,
    ResultList,
    RunCard,
    RunList,
    ThreadList,
    TrendPoint,
    Trouble,
    Version,
    WhoAmI,
)
from bot.domain.digests import (
    Cluster,
    DigestNews,
    DigestPlan,
    Parcel,
    PlanLook,
    Sending,
    Slot,
    StreamNews,
    Timing,
    Turn,
)
from bot.domain.errors import Choice, NotFoundError, OurError, UnavailableFault
from bot.domain.model import Closing, Kind, Person, Project, Result, Run, RunRef, State, Test, Thread
from bot.domain.outcomes import Outcome, Tally
from bot.domain.streams import Diff, Streak
from bot.presenters import messages
from bot.presenters.message import Block, Message, View

CLOSES = Closing("close", "closed", ("Nobody can add results to R118 any more.", "Its tests keep the state they have."))
COMPLETES = Closing("complete", "completed", ("A412 takes no more results, in none of its threads.",))
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

TESTRAIL = Kind("R", "run", "runs", "closed", verbs=frozenset({"failures", "results", "diff"}),
                closing=CLOSES)  # fmt: skip
TESTMO = Kind("A", "automation run", "automation runs", "completed", automated=True,
              verbs=frozenset({"failures", "results", "diff", "threads"}), closing=COMPLETES)  # fmt: skip
PLAN = Kind("P", "plan", "plans", "closed")

RELEASE = Run(
    ref=RunRef("testrail", "R", 118),
    kind=TESTRAIL,
    project=1,
    name="Release 5.2 regression",
    tally=Tally(passed=74, failed=3, blocked=1, untested=2),
    finished=False,
    created_at=NOW - timedelta(hours=2),
    read_at=NOW - timedelta(seconds=5),
    by="Ana Kovač",
    assignee="Tom Becker",
    config="Chrome, Windows 11",
    milestone="5.2",
    page="https://acme.testrail.example/index.php?/runs/view/{id}",
)
NIGHTLY = Run(
    ref=RunRef("testmo", "A", 412, None),
    kind=TESTMO,
    project=3,
    name="Nightly web",
    tally=Tally(passed=610, failed=15, skipped=12, other=(("Known issue", 3),)),
    finished=True,
    created_at=NOW - timedelta(hours=7),
    finished_at=NOW - timedelta(hours=6, minutes=5),
    read_at=NOW - timedelta(minutes=3),
    elapsed_s=3_300,
    by="ci",
    source="nightly-web",
    tags=("smoke", "main"),
    links=(("build 8123", "https://ci.acme.example/8123"),),
    page="https://acme.testmo.example/automation/runs/view/{id}",
    threads_total=8,
)
SMOKE = replace(
    NIGHTLY, ref=RunRef("testmo", "A", 415), name="Smoke", tally=Tally(passed=90), elapsed_s=240,
    created_at=NOW - timedelta(minutes=50), finished_at=NOW - timedelta(minutes=46),
)  # fmt: skip
RUNNING = replace(
    NIGHTLY, ref=RunRef("testmo", "A", 416), name="API contract", tally=Tally(passed=31, untested=59), finished=False,
    finished_at=None, threads_active=3, created_at=NOW - timedelta(minutes=9), verdict=Outcome.RUNNING,
)  # fmt: skip
LEFT = replace(
    RELEASE, ref=RunRef("testrail", "R", 97), name="Exploratory 5.1", tally=Tally(passed=62, untested=18),
    finished=True, finished_at=NOW - timedelta(days=1), created_at=NOW - timedelta(days=19),
)  # fmt: skip
STUCK = replace(
    RELEASE, ref=RunRef("testrail", "R", 121), name="Payments", tally=Tally(passed=4, blocked=6),
    created_at=NOW - timedelta(days=2),
)  # fmt: skip
DONE = replace(RELEASE, ref=RunRef("testrail", "R", 130), name="Checkout, Chrome, Windows 11", tally=Tally(passed=12))
UNTOUCHED = replace(
    RELEASE, ref=RunRef("testrail", "R", 128), name="Accessibility", tally=Tally(untested=40), config="", assignee=""
)
EMPTY = replace(UNTOUCHED, ref=RunRef("testrail", "R", 127), name="Empty", tally=Tally())
UNCOUNTED = replace(EMPTY, ref=RunRef("practitest", "S", 60), name="UAT", missing=("its counts could not be read",))
UNREAD = (
    "practitest: test sets are partial: the counts of 9 test sets were not read (too many calls at once), so more may "
    "be finished; ask again in a minute"
)
RATES = (0.98, 0.975, 0.96, 0.97, 0.95, 0.94, 0.91)

CARD = RunCard(
    run=replace(RELEASE, read_at=NOW),
    where="TestRail › Webshop",
    trend=tuple(TrendPoint(RELEASE.ref, rate, State.FAILED) for rate in RATES),
    buttons=("failures", "diff", "results"),
)
LIST = RunList(
    runs=(RELEASE, NIGHTLY, STUCK, RUNNING, LEFT, SMOKE),
    words="all runs · since monday",
    read_at=NOW,
    total=6,
    several_connections=True,
    notes=("PractiTest keeps no milestone for its sets; they are left out",),
    troubles=(Trouble("practitest", UnavailableFault("PractiTest", "PractiTest cannot be reached.", retry_at=NOW)),),
)


def failing(number: int, *, runs: int = 1, **more: object) -> FailedTest:
    test = Test(
        key=f"C{number}",
        name=f"checkout › pays with voucher {number}",
        outcome=Outcome.FAILED,
        url=f"https://acme.testrail.example/index.php?/tests/view/{number}",
        note="Timeout after 30 s while waiting for #cart: the element was there but covered by the cookie banner, "
        "see the screenshot of step 4 for what the page looked like then.",
        assignee="Tom Becker",
    )
    streak = Streak(runs, NOW - timedelta(days=runs), at_least=runs > 9)
    return FailedTest(replace(test, **more), streak, flaky=number % 4 == 0)  # type: ignore[arg-type]


FAILURES = Failures(
    run=RELEASE,
    where="TestRail › Webshop",
    tests=(
        failing(1),
        failing(2, name="test_login_ok", note=""),
        failing(3, runs=3, defects="BUG-77"),
        failing(4, runs=12),
    ),
    read_at=NOW,
    judged_on=10,
)
MANY_FAILURES = replace(
    FAILURES, tests=tuple(failing(n, runs=n) for n in range(1, 38)), read_at=NOW - timedelta(minutes=4),
    missing=("page 7 of 12",),
)  # fmt: skip
THREADS = tuple(
    Thread(index=n, id=900 + n, name=f"chrome {n}", tally=Tally(passed=40 + n, failed=n % 3), finished=n != 2,
           created_at=NOW - timedelta(hours=1), elapsed_s=600.0 * n)
    for n in range(1, 4)
)  # fmt: skip
UNNAMED = Failures(
    run=NIGHTLY, where="Testmo › Webshop-auto", tests=(), read_at=NOW, unnamed=15, by_thread=THREADS,
)  # fmt: skip


def a_test(number: int, outcome: Outcome = Outcome.FAILED, note: str = "") -> Test:
    return replace(failing(number).test, outcome=outcome, note=note, name=f"search › typo {number}")


DIFF = Diff(
    run=RELEASE,
    base=replace(LEFT, ref=RunRef("testrail", "R", 110), name="Release 5.1 regression"),
    new=(a_test(1, note="expected 3, got 0"), a_test(2)),
    still=tuple(a_test(n, note="timeout") for n in range(10, 18)),
    fixed=(a_test(20, Outcome.PASSED),),
    flaky=(),
    not_run=tuple(a_test(n, Outcome.UNTESTED) for n in range(30, 34)),
    gone=2,
    common=78,
    added=2,
    judged_on=10,
)
RESULTS = ResultList(
    run=RELEASE,
    where="TestRail › Webshop",
    results=(
        Result(test="checkout › guest order", outcome=Outcome.FAILED, at=NOW - timedelta(minutes=20), by="Ana Kovač",
               note="cart is empty after login", defects="BUG-80", elapsed_s=75),
        Result(test="test 64", outcome=Outcome.OTHER, label="Known issue", at=NOW - timedelta(minutes=25), by="Tom"),
        Result(test="search", outcome=None, at=NOW - timedelta(hours=1), by="Lea Martin", note="please look again"),
    ),
    words="results · since 2h",
    read_at=NOW,
    total=3,
)  # fmt: skip
DOWN = UnavailableFault("PractiTest", "PractiTest answered 503.", retry_at=NOW + timedelta(minutes=5))
CONNECTIONS = (
    ConnectionView(name="testrail", system="TestRail", project=Project(1, "Webshop"), kinds=("R runs", "P plans")),
    ConnectionView(name="practitest", system="PractiTest", project=Project(7, "Acme"), kinds=("S sets",), trouble=DOWN),
)
HERE = Here(
    channel="C0RELEASE01", chosen=CONNECTIONS[0], connections=CONNECTIONS, chosen_by="U0ANA00001",
    chosen_at=NOW - timedelta(days=3), this=RELEASE.ref,
)  # fmt: skip
NOWHERE = Here(channel="C0RELEASE01", chosen=None, connections=CONNECTIONS)
WHO = WhoAmI(
    name="Ana Kovač",
    email="ana@acme.example",
    role="admin",
    identities=(
        Identity(connection="testrail", system="TestRail", person=Person("6", "Ana Kovač", "ana@acme.example")),
        Identity(connection="testmo", system="Testmo"),
        Identity(connection="practitest", system="PractiTest", trouble=DOWN),
    ),
)
CLOSE = HelpVerb(
    name="close",
    sentence="Close a run, after a look at what that means.",
    usage="/runs close REF",
    flags=(("--older-than AGE", "Runs older than this, in one go."), ("--dry-run", "Only tell what would happen.")),
    examples=("/runs close R118", '/runs close --older-than 30d --tag "*nightly*" --dry-run'),
    notes=("`complete` is the same.",),
)
SHOW = replace(CLOSE, name="show", sentence="Show one run.", examples=("/runs show R118",))
PERSON = Complaint(
    family="person",
    what="No run R1118 in TestRail › Webshop.",
    why="The highest number there is R121.",
    fix="Try `/runs list` to see what is open.",
    closest=(Choice("R118 “Release 5.2 regression”", "show testrail:R118"), Choice("R111", "show testrail:R111")),
    reference="7f3a",
)

WHERE = "TestRail › Webshop"
CLOSING = Proposal(
    key="k1",
    verb="close",
    change=Close(RELEASE.ref),
    where=WHERE,
    by="U0ANA00001",
    made_at=NOW,
    typed="close testrail:R118",
    run=RELEASE,
    title=RELEASE.name,
    closing=CLOSES,
    lines=CLOSES.consequences,
    untested_by=(("Ana Diaz", 1), ("", 1)),
    recent=Recent(count=2, minutes=15, last_at=NOW - timedelta(minutes=3), last_by="Ben Ito"),
)
COMPLETING = replace(
    CLOSING, change=Close(replace(RUNNING.ref, thread=3)), run=RUNNING, where="Testmo › Webshop-auto",
    closing=Closing("complete", "completed", ("Thread 3 of 8 takes no more results; the others go on.",)),
    lines=(), untested_by=(), typed="complete testmo:A416/3",
    recent=Recent(count=0, minutes=15), missing=("its threads could not be read",),
)  # fmt: skip
STARTING = replace(
    CLOSING, verb="start", run=None, closing=None, untested_by=(), recent=None, has_form=True,
    change=Start(connection="testrail", letter="R", project=1, name="Smoke 5.3", milestone=Named("5.3", 8)),
    lines=("80 cases of the suite Checkout go into it.",), title="",
    fields=(("suite", "", "Checkout"), ("milestone", "", "5.3"), ("assigned to", "", "Tom Becker")),
)  # fmt: skip
EDITING = replace(
    CLOSING, verb="edit", closing=None, untested_by=(), recent=None, has_form=True, lines=(),
    change=Edit(ref=RELEASE.ref, project=1, name="Release 5.2.1 regression", milestone=Named("")),
    fields=(("name", "Release 5.2 regression", "Release 5.2.1 regression"), ("milestone", "5.2", "")),
    warnings=("Ana Kovač changed this run 4 min ago.",),
)  # fmt: skip
NOTE = Append(ref=RELEASE.ref, by="Ana Diaz", at=NOW, marker="m1", note="retest after the hotfix")
NOTING = replace(
    EDITING, verb="note", change=NOTE, fields=(), warnings=(), lines=("“retest after the hotfix” goes below its text.",)
)
REPORTING = replace(
    EDITING, verb="report", fields=(("result", "", "failed"), ("note", "", "cart is empty")), warnings=(),
    change=Report(ref=RELEASE.ref, project=1, by="Ana Diaz", at=NOW, marker="m2",
                  tests=(Reported(outcome=Outcome.FAILED, id=64),)),
)  # fmt: skip
DELETING = replace(
    CLOSING, verb="delete", change=Delete(RELEASE.ref), closing=None, confirm=RELEASE.name, recent=None, untested_by=(),
    lines=("80 tests and 312 results go with it.",), warnings=("This cannot be undone, not even by TestRail.",),
)  # fmt: skip
CLOSED = replace(RELEASE, finished=True, finished_at=NOW, tally=Tally(passed=75, failed=3, blocked=1, untested=1))
ENTRY = Entry(
    key="k1",
    verb="close",
    connection="testrail",
    ref=RELEASE.ref,
    title=RELEASE.name,
    who="U0ANA00001",
    who_name="Ana Diaz",
    team="T0ACME0001",
    channel="C0RELEASE01",
    thread="",
    at=NOW - timedelta(minutes=2),
    change=Close(RELEASE.ref),
    seen=Seen.of(RELEASE),
    outcome=Ended.DONE,
    ended_at=NOW - timedelta(minutes=2),
    after=Seen.of(CLOSED),
)
DOUBTFUL = replace(
    ENTRY, outcome=Ended.DOUBT, after=Seen.of(RELEASE),
    why="TestRail did not answer. Read again at 09:04, R118 is still open. Nothing was repeated.",
)  # fmt: skip
FAILED = replace(
    ENTRY, outcome=Ended.FAILED, after=Seen.of(RELEASE), why="TestRail refused it: the project is completed already."
)
NOTED = replace(ENTRY, verb="note", change=NOTE, after=Seen.of(RELEASE))
STARTED = replace(
    ENTRY, verb="start", change=STARTING.change, ref=UNTOUCHED.ref, title="Smoke 5.3", seen=None,
    after=Seen.of(UNTOUCHED),
)  # fmt: skip
REQUEST = AccessRequest(
    key="r1", verb="close", user="U0BEN00001", user_name="Ben Ito", team="T0ACME0001", channel="C0RELEASE01",
    at=NOW - timedelta(minutes=1), command="close R118",
)  # fmt: skip
GRANT = Grant(
    verb="close", kind="user", subject="U0BEN00001", channel="C0RELEASE01", allow=True, by="U0ANA00001",
    at=NOW - timedelta(days=3),
)  # fmt: skip
GRANTS = (
    GRANT,
    replace(GRANT, verb="all", kind="group", subject="S0TESTERS1", channel=""),
    replace(GRANT, verb="report", allow=False, channel=""),
)
OLD = tuple(
    replace(RELEASE, ref=RunRef("testrail", "R", 40 + n), name=f"Regression 4.{n}",
            created_at=NOW - timedelta(days=40 + n), tally=Tally(passed=30 + n, untested=n))
    for n in range(12)
)  # fmt: skip
BULK = Bulk(
    key="b1", words="open runs of TestRail › Webshop older than 30 days", typed="close --older-than 30d", made_at=NOW,
    by="U0ANA00001", notes=("PractiTest cannot close its sets; they are left out.",),
    items=(
        *(BulkItem(run=run) for run in OLD),
        BulkItem(run=STUCK, why="part of plan P9, which has to be closed as a whole"),
    ),
)  # fmt: skip


def tried(many: int, *outcomes: Ended) -> Bulk:
    """The bulk change with its first runs tried, these outcomes first and the rest done."""
    ended = [*outcomes, *[Ended.DONE] * (many - len(outcomes))]
    why = {Ended.FAILED: "TestRail answered 500.", Ended.STALE: "It was closed by somebody else."}
    entries = [
        replace(ENTRY, ref=run.ref, outcome=how, why=why.get(how, "")) for run, how in zip(OLD, ended, strict=False)
    ]
    items = tuple(BulkItem(run=run, entry=entry) for run, entry in zip(OLD, entries, strict=False))
    return replace(BULK, items=items + BULK.items[many:])


LARGE = replace(
    BULK, items=tuple(BulkItem(run=replace(OLD[0], ref=RunRef("testrail", "R", n)), entry=ENTRY) for n in range(200))
)
AUDIT = Audit(
    entries=(
        ENTRY,
        NOTED,
        replace(DOUBTFUL, at=NOW - timedelta(hours=2)),
        replace(ENTRY, outcome=Ended.REFUSED, why="Nobody has allowed you to close here.", after=None),
        replace(STARTED, at=NOW - timedelta(days=2)),
        replace(ENTRY, verb="edit", change=EDITING.change),
    ),
    words="last 20 · this workspace",
    whole=True,
    all_attempts=True,
)
REFUSED = Complaint(
    family="person", what="You can't close runs here yet.", reference="8a10", fix="An admin has to allow it.",
)  # fmt: skip

BERLIN = Timing("0 9 * * 1-5", "Europe/Berlin", "mon-fri at 09:00")
DIGEST = DigestPlan(
    id="d1", team="T0ACME0001", channel="C0RELEASE01", name="nightly", owner="U0ANA00001", owner_name="Ana Kovač",
    timing=BERLIN, made_at=NOW - timedelta(days=30), words="source nightly-web", what=("failed", "unfinished"),
    since=NOW - timedelta(days=1),
)  # fmt: skip
SLOT = Slot("2026-11-20T09:00", NOW)


def points(*rates: float) -> tuple[TrendPoint, ...]:
    return tuple(TrendPoint(NIGHTLY.ref, rate, State.FAILED) for rate in rates)


WEB = StreamNews(
    run=NIGHTLY, turn=Turn.BROKE, runs=4, failed=3, broken_for=1, broken_since=NOW - timedelta(hours=6),
    trend=points(*RATES), tests=tuple(failing(n, runs=1 if n < 4 else n) for n in range(1, 16)), tests_total=15,
    new=3, still=12, fixed=1, flaky=3,
)  # fmt: skip
API = replace(
    WEB, run=replace(RUNNING, name="API contract", ref=RunRef("testmo", "A", 409), tally=Tally(passed=85, failed=5)),
    turn=Turn.STILL, runs=1, failed=1, broken_for=6, broken_since=NOW - timedelta(days=6),
    tests=tuple(replace(failing(n, runs=6), test=a_test(n, note="expected 3, got 0")) for n in (21, 22)),
    tests_total=2, new=0, still=2, fixed=0, flaky=0, trend=points(0.9, 0.95, 0.94),
)  # fmt: skip
REGRESSION = replace(
    API, run=replace(RELEASE, tally=Tally(passed=70, failed=3, blocked=1, untested=6)), broken_for=2,
    broken_since=NOW - timedelta(days=2), tests=(), tests_total=0, unnamed=3, new=0, still=0, trend=(),
    missing=("page 7 of 12",),
)  # fmt: skip
SEARCH = replace(
    WEB, run=replace(SMOKE, name="Search", ref=RunRef("testmo", "A", 414)), turn=Turn.FIXED, runs=2, failed=1,
    broken_for=0, broken_since=None, tests=(), tests_total=0, new=0, still=0, fixed=0, flaky=0,
    trend=points(0.9, 0.8, 1.0),
)  # fmt: skip
GREEN = replace(SEARCH, run=SMOKE, turn=Turn.PASSED, runs=3, failed=0, trend=points(1.0, 1.0))
BAD_DAY = DigestNews(
    plan=DIGEST,
    slot=SLOT,
    since=NOW - timedelta(days=1),
    read_at=NOW,
    where="Testmo › Webshop-auto · TestRail › Webshop",
    streams=(WEB, API, REGRESSION, SEARCH, GREEN),
    passed=41,
    runs=58,
    unfinished=(RUNNING,),
    stale=(STUCK, UNTOUCHED),
    owners=(("Tom Becker", ("login", "search")), ("", ("cart",))),
    clusters=(Cluster("Timeout after # s while waiting for #cart", 4, ("login", "search", "cart"), 2),),
    before=5,
)
MIXED = replace(
    BAD_DAY, streams=(SEARCH, GREEN), unfinished=(RUNNING,), stale=(), owners=(), clusters=(), before=1, late_min=9,
    skipped=2,
)  # fmt: skip
QUIET = replace(
    BAD_DAY, streams=(GREEN,), passed=14, runs=52, unfinished=(), stale=(), owners=(), clusters=(), before=0
)
SILENT = replace(
    QUIET, plan=replace(DIGEST, if_empty="post"), passed=0, runs=0, streams=(),
    troubles=LIST.troubles * 2,
)  # fmt: skip
HUGE = replace(
    BAD_DAY,
    streams=tuple(
        replace(WEB if n < 260 else API, run=replace(NIGHTLY, ref=RunRef("testmo", "A", n), name=f"Stream {n}"),
                tests=WEB.tests if n < 12 else ())
        for n in range(400)
    ),
    unfinished=(RUNNING,) * 9, stale=(), passed=600, runs=2_000,
    notes=("the failing tests of the 12 most urgent streams are named, of 400",),
)  # fmt: skip
EVIL = "<!channel> *x* <https://evil.example|Pass> `code` :fire:"
HOSTILE = replace(
    BAD_DAY,
    plan=replace(DIGEST, name=EVIL, owner_name="<@U0ANA00001>", words=EVIL),
    where=EVIL,
    streams=(
        replace(
            WEB, run=replace(NIGHTLY, name=EVIL, config=EVIL, page="javascript:alert({id})"),
            tests=(failing(1, name=EVIL, note=EVIL, url="https://user:secret@evil.example/"),), tests_total=1,
        ),
    ),
    owners=(("<!here>", (EVIL,)),),
    clusters=(Cluster(EVIL, 2, (EVIL,), 1),),
    notes=(EVIL,),
)  # fmt: skip
FIRST = replace(
    BAD_DAY, plan=replace(DIGEST, since=None), before=None, streams=(replace(WEB, trend=points(0.9), new=0, still=0),),
    unfinished=(), stale=(), owners=(), clusters=(), passed=0, runs=4,
)  # fmt: skip
COMING = tuple(Slot(f"2026-11-{day}T09:00", datetime(2026, 11, day, 8, tzinfo=UTC)) for day in (23, 24, 25))
PARCEL = Parcel(
    key="d1 2026-11-20T09:00 C0RELEASE01", team="T0ACME0001", channel="C0RELEASE01", body="{}", made_at=NOW,
    for_whom="d1", owner="U0ANA00001", slot="2026-11-20T09:00", state=Sending.POSTED, tries=1, tried_at=NOW,
    posted_at=NOW, ts="1.2",
)  # fmt: skip
LOOK = PlanLook(
    replace(DIGEST, connection="testmo", project="3"), COMING, "Asia/Tokyo",
    (
        replace(PARCEL, state=Sending.WAITING, posted_at=None, tries=3, reason="ratelimited"),
        replace(PARCEL, under="k", slot="2026-11-19T09:00", repeat=True),
        replace(PARCEL, slot="2026-11-18T09:00", state=Sending.REFUSED, posted_at=None, reason="is_archived"),
        replace(PARCEL, slot="2026-11-17T09:00", state=Sending.EXPIRED, posted_at=None, tries=0, tried_at=None,
                reason="it could not be posted for 12 hours"),
    ),
)  # fmt: skip
PAUSED = replace(LOOK, plan=replace(DIGEST, name="weekly", paused_until=datetime(2026, 12, 23, 23, tzinfo=UTC)))
PARKED = replace(LOOK, plan=replace(DIGEST, name="release train", parked="not_in_channel"), next=(), sent=())
SCHEDULED = replace(DIGEST, name="old runs", ask="list --older-than 14d", words="", what=("failed",))


def _said(message: Message) -> tuple[str, list[Block]]:
    return message.text, message.blocks


SAMPLES: dict[str, Callable[[], Message]] = {
    "run_card": lambda: messages.run_card(CARD, command="show testrail:R118", now=NOW),
    "run_card_finished": lambda: messages.run_card(
        RunCard(run=NIGHTLY, where="Testmo › Webshop-auto", buttons=("failures", "diff", "threads"),
                missing=("the trend could not be read",)),
        command="show testmo:A412", now=NOW,
    ),
    "run_card_plan": lambda: messages.run_card(
        RunCard(
            run=replace(RELEASE, ref=RunRef("testrail", "P", 9), kind=PLAN, name="Release 5.2",
                        description="All of 5.2", tally=Tally(passed=140, failed=3, blocked=7, untested=20)),
            where="TestRail › Webshop", parts=(RELEASE, STUCK, LEFT),
        ),
        command="show testrail:P9", now=NOW, shareable=False,
    ),
    "run_list": lambda: messages.run_list(LIST, again="list --since monday", now=NOW),
    "run_list_page_2": lambda: messages.run_list(
        RunList(runs=(RELEASE,) * 9 + (SMOKE,) * 14, words="open runs", read_at=NOW, total=40),
        again="list", page=2, now=NOW,
    ),
    "run_list_empty": lambda: messages.run_list(
        RunList(runs=(), words="open runs · tag wip", read_at=NOW), again="list --tag wip", now=NOW,
        wider="list --tag wip --all",
    ),
    "run_list_states": lambda: messages.run_list(
        RunList(runs=(DONE, UNTOUCHED, EMPTY, UNCOUNTED), words="open runs", read_at=NOW, notes=(UNREAD,)),
        again="list --limit 4", now=NOW,
    ),
    "failures": lambda: messages.failures(FAILURES, again="failures testrail:R118", now=NOW),
    "failures_many": lambda: messages.failures(MANY_FAILURES, again="failures testrail:R118", page=2, now=NOW),
    "failures_unnamed": lambda: messages.failures(UNNAMED, again="failures testmo:A412", now=NOW),
    "failures_none": lambda: messages.failures(
        Failures(run=SMOKE, where="Testmo › Webshop-auto", tests=(), read_at=NOW, owner="Ana Kovač"),
        again="failures testmo:A415 --owner ana", now=NOW,
    ),
    "failures_begun_not": lambda: messages.failures(
        Failures(run=UNTOUCHED, where="TestRail › Webshop", tests=(), read_at=NOW), again="failures testrail:R128",
        now=NOW,
    ),
    "failures_alone": lambda: messages.failures(
        Failures(run=replace(NIGHTLY, tally=Tally(passed=71, failed=3)), where="Testmo › Webshop-auto",
                 tests=(replace(failing(1), streak=None), replace(failing(2), streak=None)), total=2, read_at=NOW),
        again="failures testmo:A412", now=NOW,
    ),
    "results_limited": lambda: messages.results(
        replace(RESULTS, words="results · status failed", results=RESULTS.results[:1], total=27),
        again="results testrail:R118 --status failed --limit 1", now=NOW,
    ),
    "results": lambda: messages.results(RESULTS, again="results testrail:R118 --since 2h", now=NOW),
    "diff": lambda: messages.diff(DIFF, again="diff testrail:R118", where="TestRail › Webshop", now=NOW),
    "diff_nothing": lambda: messages.diff(
        Diff(run=SMOKE, base=LEFT, new=(), still=(), fixed=(), flaky=(), not_run=(), common=90),
        again="diff testmo:A415", now=NOW,
    ),
    "diff_apart": lambda: messages.diff(
        Diff(run=RELEASE, base=LEFT, new=(a_test(1, note="expected 3, got 0"),), still=(), fixed=(), flaky=(),
             not_run=(), added=80, gone=62),
        again="diff testrail:R118 testrail:R97", now=NOW,
    ),
    "diff_empty": lambda: messages.diff(
        Diff(run=EMPTY, base=LEFT, new=(), still=(), fixed=(), flaky=(), not_run=(), gone=62),
        again="diff testrail:R127", now=NOW,
    ),
    "threads": lambda: messages.threads(
        ThreadList(run=NIGHTLY, where="Testmo › Webshop-auto", threads=THREADS), again="threads testmo:A412", now=NOW
    ),
    "here": lambda: messages.here(HERE, now=NOW),
    "here_nothing_chosen": lambda: messages.here(NOWHERE, now=NOW),
    "menu": lambda: messages.menu(
        Menu(here=HERE, at_risk=replace(LIST, several_connections=False, troubles=())), now=NOW
    ),
    "menu_quiet": lambda: messages.menu(
        Menu(here=NOWHERE, at_risk=RunList(runs=(), words="open runs", read_at=NOW)), now=NOW
    ),
    "whoami": lambda: messages.whoami(WHO),
    "context_set": lambda: messages.context_set(
        ContextSet(connection=CONNECTIONS[0], channel="C0RELEASE01", by="U0ANA00001")
    ),
    "help_index": lambda: messages.help_index(HelpIndex(command="/runs", verbs=(SHOW, CLOSE))),
    "help_verb": lambda: messages.help_verb(CLOSE),
    "version": lambda: messages.version(Version(rundown="0.1.0", python="3.11.7", connections=CONNECTIONS)),
    "complaint_person": lambda: messages.complaint(PERSON),
    "complaint_choices": lambda: messages.complaint(
        replace(PERSON, what="Which R118?", why="7 runs have that number.", fix="Choose one.",
                closest=tuple(Choice(f"R118 in connection {n}", f"show c{n}:R118") for n in range(1, 8)))
    ),
    "complaint_system": lambda: messages.complaint(
        Complaint(family="system", what="TestRail takes no more calls right now.",
                  why="Its limit of calls for this minute is used up.", system="TestRail",
                  retry_at=NOW + timedelta(minutes=1), reference="9c01")
    ),
    "complaint_systems": lambda: messages.complaint(
        Complaint(family="system", what="None of your systems could be asked.",
                  why="TestRail answered 503. Testmo refuses our key.", fix="Try again in a minute.",
                  system="TestRail and Testmo", reference="9c02")
    ),
    "complaint_ours": lambda: messages.complaint(
        Complaint(family="ours", what="Something went wrong in Rundown.", why="This is our mistake, not yours.",
                  fix="Try again; if it happens again, give the reference to whoever runs Rundown.", reference="2c9f")
    ),
    "looking": lambda: messages.looking("R118", "TestRail"),
    "shared_by": lambda: messages.shared_by(
        messages.failures(UNNAMED, again="failures testmo:A412", now=NOW, shareable=False), "U0ANA00001"
    ),
    "run_card_closable": lambda: messages.run_card(
        RunCard(run=RUNNING, where="Testmo › Webshop-auto", buttons=("failures", "threads", "close", "note")),
        command="show testmo:A416", now=NOW,
    ),
    "proposal": lambda: messages.proposal(CLOSING, now=NOW),
    "proposal_changed": lambda: messages.proposal(CLOSING, now=NOW, changed="Changed since you looked: 3 more failed."),
    "proposal_dry": lambda: messages.proposal(CLOSING, now=NOW, dry=True),
    "proposal_thread": lambda: messages.proposal(COMPLETING, now=NOW),
    "proposal_start": lambda: messages.proposal(STARTING, now=NOW),
    "proposal_edit": lambda: messages.proposal(EDITING, now=NOW),
    "proposal_note": lambda: messages.proposal(NOTING, now=NOW),
    "proposal_report": lambda: messages.proposal(REPORTING, now=NOW),
    "proposal_delete": lambda: messages.proposal(DELETING, now=NOW),
    "working": lambda: messages.working(messages.doing(CLOSING)),
    "cancelled": lambda: messages.cancelled(CLOSING),
    "cancelled_several": messages.cancelled,
    "form_offer": lambda: messages.form_offer(
        "start", "A run needs a name and, in TestRail, a suite.", value="start --in testrail"
    ),
    "file_sent": lambda: messages.file_sent("rundown-audit-2026-11-20-0800.csv", 312),
    "receipt": lambda: messages.receipt(
        Receipt(entry=ENTRY, where=WHERE, done_word="closed", run=CLOSED,
                doubts=("1 result came in after Ana Diaz had looked.",)),
        now=NOW,
    ),
    "receipt_started": lambda: messages.receipt(
        Receipt(entry=STARTED, where=WHERE, done_word="started", run=replace(UNTOUCHED, name="Smoke 5.3"),
                lines=("name: Smoke 5.3", "suite: Checkout")),
        now=NOW,
    ),
    "receipt_started_doubt": lambda: messages.receipt(
        Receipt(entry=replace(STARTED, ref=None, outcome=Ended.DOUBT, after=None, why="TestRail did not answer."),
                where=WHERE, done_word=""),
        now=NOW,
    ),
    "receipt_noted": lambda: messages.receipt(
        Receipt(entry=NOTED, where=WHERE, done_word="", run=RELEASE, lines=("“retest after the hotfix”",)), now=NOW
    ),
    "receipt_deleted": lambda: messages.receipt(
        Receipt(entry=replace(ENTRY, verb="delete", change=Delete(RELEASE.ref), after=None), where=WHERE,
                done_word="deleted", lines=("80 tests and 312 results went with it.",)),
        now=NOW,
    ),
    "receipt_doubt": lambda: messages.receipt(
        Receipt(entry=DOUBTFUL, where=WHERE, done_word="closed", run=RELEASE), now=NOW
    ),
    "receipt_failed": lambda: messages.receipt(Receipt(entry=FAILED, where=WHERE, done_word="closed"), now=NOW),
    "late_done": lambda: messages.late(ENTRY, now=NOW),
    "late_begun": lambda: messages.late(replace(ENTRY, outcome=Ended.BEGUN), now=NOW, done="completed"),
    "late_doubt": lambda: messages.late(DOUBTFUL, now=NOW),
    "late_failed": lambda: messages.late(FAILED, now=NOW),
    "late_stale": lambda: messages.late(replace(ENTRY, outcome=Ended.STALE, why="3 more tests had failed."), now=NOW),
    "late_cancelled": lambda: messages.late(replace(ENTRY, outcome=Ended.CANCELLED), now=NOW),
    "late_refused": lambda: messages.late(replace(ENTRY, outcome=Ended.REFUSED), now=NOW),
    "late_noted": lambda: messages.late(NOTED, now=NOW),
    "refusal": lambda: messages.refusal(REFUSED, verb="close", askable=True, value="close testrail:R118"),
    "refusal_for_good": lambda: messages.refusal(
        replace(REFUSED, what="Guests never change runs.", fix=""), verb="close", askable=False, value=""
    ),
    "asked_for_access": lambda: messages.asked_for_access(REQUEST),
    "asked_for_access_already": lambda: messages.asked_for_access(REQUEST, already=True),
    "access_request": lambda: messages.access_request(REQUEST, where="C0RELEASE01", now=NOW),
    "access_request_private": lambda: messages.access_request(
        replace(REQUEST, channel="D0BEN00001"), where="a direct message", now=NOW
    ),
    "access_request_settled": lambda: messages.access_request(
        replace(REQUEST, settled="here", settled_by="U0ANA00001"), where="#release", now=NOW
    ),
    "access_settled": lambda: messages.access_settled(replace(REQUEST, settled="here", settled_by="U0ANA00001")),
    "access_settled_everywhere": lambda: messages.access_settled(
        replace(REQUEST, settled="everywhere", settled_by="U0ANA00001")
    ),
    "access_settled_declined": lambda: messages.access_settled(
        replace(REQUEST, settled="declined", settled_by="U0ANA00001")
    ),
    "grants": lambda: messages.grants(
        GRANTS, admins="<@U0ANA00001> and the owners and admins of this workspace may do everything.", can_change=True,
        now=NOW,
    ),
    "grants_none": lambda: messages.grants((), admins="", can_change=True, now=NOW),
    "granted": lambda: messages.granted(GRANT),
    "granted_not": lambda: messages.granted(GRANTS[2]),
    "granted_no_more": lambda: messages.granted(GRANTS[1], took_away=True),
    "audit": lambda: messages.audit(AUDIT, again="audit", page=1, now=NOW),
    "audit_none": lambda: messages.audit(
        Audit(entries=(), words="verb delete", whole=True), again="audit", page=1, now=NOW
    ),
    "audit_page_2": lambda: messages.audit(
        replace(AUDIT, entries=(ENTRY,) * 12, whole=False, all_attempts=False), again="audit --last 12", page=2,
        now=NOW, shareable=True,
    ),
    "bulk": lambda: messages.bulk(BULK, now=NOW),
    "bulk_dry": lambda: messages.bulk(replace(BULK, dry=True), now=NOW),
    "bulk_none": lambda: messages.bulk(replace(BULK, items=BULK.items[-1:]), now=NOW),
    "bulk_progress": lambda: messages.bulk(tried(5, Ended.FAILED), now=NOW),
    "bulk_result": lambda: messages.bulk(
        replace(tried(9, Ended.FAILED, Ended.STALE), stopped="TestRail takes no more calls, so it was stopped."),
        now=NOW,
    ),
    "bulk_large": lambda: messages.bulk(LARGE, now=NOW),
    "digest_bad_day": lambda: messages.digest(BAD_DAY, now=NOW),
    "digest_mixed_late": lambda: messages.digest(MIXED, now=NOW),
    "digest_quiet_line": lambda: messages.digest(QUIET, now=NOW),
    "digest_quiet_post": lambda: messages.digest(replace(QUIET, plan=replace(DIGEST, if_empty="post")), now=NOW),
    "digest_quiet_no_run": lambda: messages.digest(replace(QUIET, streams=(), passed=0, runs=0), now=NOW),
    "digest_quiet_partial": lambda: messages.digest(
        replace(QUIET, notes=("Testmo automation runs: page 7 of 12",), late_min=9), now=NOW
    ),
    "digest_unreachable": lambda: messages.digest(SILENT, now=NOW),
    "digest_400_streams": lambda: messages.digest(HUGE, now=NOW),
    "digest_hostile": lambda: messages.digest(HOSTILE, now=NOW),
    "digest_first": lambda: messages.digest(FIRST, now=NOW),
    "digest_stale_only": lambda: messages.digest(
        replace(QUIET, plan=replace(DIGEST, what=("stale",)), streams=(), passed=0, stale=(UNTOUCHED,)), now=NOW
    ),
    "digest_missed": lambda: messages.digest_missed(DIGEST, SLOT, skipped=2, now=NOW + timedelta(hours=12, minutes=30)),
    "digest_failed_person": lambda: messages.digest_failed(
        DIGEST, NotFoundError("There is no connection “web”.", why="There are testmo and testrail.",
                              fix="Change it with `digest edit nightly --in testmo`."), slot=SLOT, now=NOW,
    ),
    "digest_failed_system": lambda: messages.digest_failed(DIGEST, DOWN, slot=SLOT, now=NOW),
    "digest_failed_ours": lambda: messages.digest_failed(DIGEST, OurError("The disk is full."), slot=SLOT, now=NOW),
    "digest_answer": lambda: messages.digest_answer(
        SCHEDULED, messages.run_list(LIST, again="list --older-than 14d", now=NOW, shareable=False), slot=SLOT, now=NOW
    ),
    "digest_silent": lambda: messages.digest_silent(replace(DIGEST, if_empty="skip")),
    "digest_planned": lambda: messages.digest_planned(LOOK, now=NOW),
    "digest_planned_paused": lambda: messages.digest_planned(PAUSED, now=NOW),
    "digest_planned_answer": lambda: messages.digest_planned(replace(LOOK, plan=SCHEDULED), now=NOW),
    "digest_plan": lambda: messages.digest_plan(LOOK, now=NOW),
    "digest_plan_parked": lambda: messages.digest_plan(PARKED, now=NOW),
    "digest_plans": lambda: messages.digest_plans((LOOK, PAUSED, PARKED), now=NOW),
    "digest_plans_none": lambda: messages.digest_plans((), now=NOW),
    "digest_removed": lambda: messages.digest_removed(DIGEST, "U0ANA00001"),
    "digest_parked": lambda: messages.digest_parked(DIGEST, messages.reason_words("is_archived"), now=NOW),
    "digest_repeated": lambda: Message(*messages.mark_repeat(*_said(messages.digest(QUIET, now=NOW)))),
}  # fmt: skip

START_FORM = messages.Form(
    title="Start a run",
    submit="Preview",
    intro=("In TestRail › Webshop. Nothing is started before you have seen what it will be.",),
    fields=(
        messages.Field(name="name", label="Name", value="Smoke 5.3", longest=250, placeholder="Smoke 5.3"),
        messages.Field(name="description", label="Description", kind="text", value="First\nsecond", optional=True),
        messages.Field(
            name="suite", label="Suite", kind="choice", value="4", hint="Where its cases come from.",
            options=(Choice("Checkout", "4"), Choice("Search", "5")),
        ),
        messages.Field(
            name="tags", label="Tags", kind="choices", value=("smoke",), optional=True,
            options=(Choice("smoke", "smoke"), Choice("main", "main")),
        ),
        messages.Field(
            name="options", label="Options", kind="checks", value=("all",), optional=True,
            options=(Choice("All cases of the suite", "all"),),
        ),
        messages.Field(name="files", label="Files", kind="files", longest=3, optional=True),
    ),
)  # fmt: skip

VIEWS: dict[str, Callable[[], View]] = {
    "form": lambda: messages.form(START_FORM),
    "form_failed": lambda: messages.form_failed(START_FORM, "There is a run of that name already: R118."),
    "form_too_long": lambda: messages.form(
        replace(START_FORM, fields=(replace(START_FORM.fields[1], value="x" * 3_001),))
    ),
    "form_working": lambda: messages.form_working("Start a run", "Asking TestRail for its suites…"),
    "form_told": lambda: messages.form_done("Delete a run", messages.late(DOUBTFUL, now=NOW)),
    "form_done": lambda: messages.form_done("Start a run", "Look at the preview in the conversation you came from."),
}
