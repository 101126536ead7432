"""Whatever a test system, a person or a mistake may put into a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from bot.domain.access import AccessRequest, Grant
from bot.domain.acts import (
    Append,
    Attachment,
    Audit,
    Bulk,
    BulkItem,
    Close,
    Delete,
    Edit,
    Ended,
    Entry,
    Named,
    Pointer,
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
from bot.domain.errors import Choice, GrammarError, OurError, UnavailableFault
from bot.domain.model import Closing, Kind, Person, Project, Result, Run, RunRef, State, Test, Thread
from bot.domain.outcomes import Outcome, Tally
from bot.domain.streams import Diff, Streak
from bot.presenters import messages
from bot.presenters.message import Message

PAYLOADS = (
    "<!channel>", "<!here>", "<!everyone>", "<@U0ANA00001>", "<#C0RELEASE01>", "<!subteam^S1|@qa>",
    "@here @channel #general", "<https://evil.example|Pass>", "https://evil.example", "mailto:a@evil.example",
    "evil.example/login", "<!date^1^{date}|x>", "javascript:alert(1)",
    "*bold* _it_ ~gone~ `code` ```pre```", "*", "_", "`", "~", "```", "_*`~", "a*b*c", "__init__", "test_login_ok",
    "> quote", ">>> quote", "&gt; quote", "\n> quote\n>>> more", ":fire: :+1: :100: a:b:c", ":", "::", "09:00:00",
    "&amp;lt;", "&", "<", ">", "|", '"', "\\", '\\"', "\\u0041", "'",
    "{{ 7*7 }}", "{% for x in y %}", "{# x #}", "{0.__class__}", "%s %(x)s",
    "\u202egnp.exe", "\u2066x\u2069", "zero\u200bwidth\u2060", "\ud83d", "\ude00\ud83d", "\ud83d\ude00",
    "e" + "\u0301" * 1_000, "שלום عليكم", "\x00\x1b[31m\x7f\x85", "a\r\nb\tc\u2028d", " ", "\u200b", "\u3000", "",
    "x" * 10_000, "& " * 5_000, "<" * 10_000, "_ " * 5_000, "👩‍💻" * 3_000, ":x:" * 3_000, "word " * 2_000, "—" * 200,
)  # fmt: skip

texts = st.one_of(
    st.sampled_from(PAYLOADS),
    st.text(st.characters(), max_size=60),
    st.text('<>&*_`~:|@#!^{}%"\\\n x1\u202e\u0301😀', max_size=40),
    st.lists(st.sampled_from(PAYLOADS), max_size=3).map("".join),
)
urls = st.one_of(
    texts,
    texts.map(lambda text: f"https://a.example/{text}"),
    texts.map(lambda text: f"https://{text}"),
    st.just("https://a.example/" + "x" * 2_980),
    st.just("https://a.example/runs/view/1?a=1&b=2"),
)
#: A page's address has its number in braces; the systems' own braces are doubled, as `str.format` wants it.
pages = urls.map(lambda url: url.replace("{", "{{").replace("}", "}}"))
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
maybe_moments = st.none() | moments
counts = st.just(0) | st.integers(0, 10**9)
seconds = st.none() | st.floats(0, 10**7)

tallies = st.builds(
    Tally, counts, counts, counts, counts, counts, counts, counts,
    other=st.lists(st.tuples(texts, counts), max_size=20).map(tuple),
)  # fmt: skip
verbs = st.lists(st.sampled_from(["failures", "diff", "results", "threads", "close", "note"]) | texts, max_size=30).map(
    tuple
)
closings = st.builds(
    Closing,
    texts | st.sampled_from(["close", "complete", "mark", "archive"]),
    texts | st.sampled_from(["closed", "completed"]),
    st.lists(texts, max_size=4).map(tuple),
    st.booleans(),
    st.booleans(),
)
kinds = st.builds(
    Kind,
    st.sampled_from(["R", "A", "S"]),
    texts,
    texts,
    texts,
    verbs=st.frozensets(st.sampled_from(["failures", "diff"])),
    closing=st.none() | closings,
)
refs = st.builds(RunRef, texts | st.just("testrail"), st.sampled_from(["R", "A"]), counts, st.none() | counts)
runs = st.builds(
    Run, ref=refs, kind=kinds, project=counts, name=texts, tally=tallies, finished=st.booleans(), created_at=moments,
    read_at=moments, finished_at=maybe_moments, by=texts, assignee=texts, config=texts, milestone=texts, source=texts,
    workflow=texts, refs=texts, tags=st.lists(texts, max_size=20).map(tuple),
    links=st.lists(st.tuples(texts, urls), max_size=8).map(tuple), description=texts, elapsed_s=seconds,
    verdict=st.none() | st.sampled_from(Outcome), threads_total=counts, threads_active=counts, parent=st.none() | refs,
    page=pages,
)  # fmt: skip
outcomes = st.sampled_from(Outcome)
tests = st.builds(
    Test,
    key=texts,
    name=texts,
    outcome=outcomes,
    label=texts,
    url=urls,
    folder=texts,
    assignee=texts,
    note=texts,
    defects=texts,
)
threads = st.builds(
    Thread, index=counts, id=counts, name=texts, tally=tallies, finished=st.booleans(), created_at=moments,
    elapsed_s=seconds, verdict=st.none() | outcomes,
)  # fmt: skip
results = st.builds(
    Result, test=texts, outcome=st.none() | outcomes, at=moments, label=texts, by=texts, note=texts, defects=texts,
    url=urls, version=texts, elapsed_s=seconds,
)  # fmt: skip


def many(one: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    """A few different ones, now and then repeated to a long list."""
    return st.tuples(st.lists(one, max_size=most), st.sampled_from([1, 1, 1, 40])).map(lambda it: tuple(it[0] * it[1]))


errors = st.builds(GrammarError, texts) | st.builds(UnavailableFault, texts, texts, retry_at=maybe_moments)
troubles = st.builds(Trouble, texts, errors)
missing = st.lists(texts | st.just("page 7 of 12"), max_size=8).map(tuple)
streaks = st.none() | st.builds(Streak, st.integers(1, 99), maybe_moments, at_least=st.booleans())
views = st.builds(
    ConnectionView, name=texts, system=texts, project=st.none() | st.builds(Project, counts, texts),
    kinds=st.lists(texts, max_size=5).map(tuple), trouble=st.none() | errors,
)  # fmt: skip
lists = st.builds(
    RunList, runs=many(runs), words=texts, read_at=moments, total=st.none() | counts, several_connections=st.booleans(),
    notes=many(texts), troubles=many(troubles),
)  # fmt: skip
heres = st.builds(
    Here, channel=texts | st.just("C0RELEASE01"), chosen=st.none() | views, connections=many(views), chosen_by=texts,
    chosen_at=maybe_moments, this=st.none() | refs,
)  # fmt: skip
cards = st.builds(
    RunCard, run=runs, where=texts,
    trend=many(st.builds(TrendPoint, refs, st.none() | st.floats(0, 1), st.sampled_from(State))), parts=many(runs),
    missing=missing, buttons=verbs,
)  # fmt: skip
failures = st.builds(
    Failures, run=runs, where=texts, tests=many(st.builds(FailedTest, tests, streaks, st.booleans())), read_at=moments,
    owner=texts, unnamed=counts, by_thread=many(threads), judged_on=counts, missing=missing,
)  # fmt: skip
result_lists = st.builds(
    ResultList, run=runs, where=texts, results=many(results), words=texts, read_at=moments, total=st.none() | counts,
    missing=missing,
)  # fmt: skip
diffs = st.builds(
    Diff, run=runs, base=runs, new=many(tests), still=many(tests), fixed=many(tests), flaky=many(tests),
    not_run=many(tests), gone=counts, judged_on=counts, missing=missing, common=counts, added=counts,
)  # fmt: skip
help_verbs = st.builds(
    HelpVerb, name=texts | st.just("list"), sentence=texts, usage=texts, flags=many(st.tuples(texts, texts)),
    examples=many(texts), notes=many(texts),
)  # fmt: skip
complaints = st.builds(
    Complaint, family=st.sampled_from(["person", "system", "ours"]), what=texts, reference=texts, why=texts, fix=texts,
    closest=many(st.builds(Choice, texts, texts | st.just("show R1")), 8), system=texts, retry_at=maybe_moments,
)  # fmt: skip
identities = st.builds(
    Identity,
    connection=texts,
    system=texts,
    person=st.none() | st.builds(Person, texts, texts, texts),
    trouble=st.none() | errors,
)
pages_asked = st.integers(-1, 20)

people = texts | st.just("U0ANA00001")
channels = texts | st.sampled_from(["C0RELEASE01", "D0BEN00001"])
keys = texts | st.just("k1")
rights = texts | st.sampled_from(["close", "complete", "start", "edit", "note", "link", "attach", "report", "delete"])
named = st.none() | st.builds(Named, texts, st.none() | counts)
files = st.builds(Attachment, texts, texts, counts)
changes = (
    st.builds(Close, refs)
    | st.builds(Start, connection=texts, letter=texts, project=counts, name=texts, milestone=named)
    | st.builds(Edit, ref=refs, project=counts, name=st.none() | texts)
    | st.builds(
        Append, ref=refs, by=texts, at=moments, marker=texts, note=texts, links=many(st.builds(Pointer, texts, urls))
    )
    | st.builds(
        Report, ref=refs, project=counts, by=texts, at=moments, marker=texts, files=many(files),
        tests=many(st.builds(Reported, outcome=outcomes, name=texts)),
    )
    | st.builds(Delete, refs)
)  # fmt: skip
seens = st.none() | st.builds(Seen, tallies, st.booleans(), st.sampled_from(State))
entries = st.builds(
    Entry, key=keys, verb=rights, connection=texts, ref=st.none() | refs, title=texts, who=people, who_name=texts,
    team=texts, channel=channels, thread=texts, at=moments, change=st.none() | changes, seen=seens,
    outcome=st.sampled_from(Ended), ended_at=maybe_moments, after=seens, why=texts,
)  # fmt: skip
proposals = st.builds(
    Proposal, key=keys, verb=rights, change=changes, where=texts, by=people, made_at=moments, typed=texts,
    run=st.none() | runs, title=texts, closing=st.none() | closings, lines=many(texts), warnings=many(texts),
    fields=many(st.tuples(texts, texts, texts)), untested_by=many(st.tuples(texts, counts)),
    recent=st.none() | st.builds(Recent, count=counts, minutes=counts, last_at=maybe_moments, last_by=texts),
    confirm=texts, missing=missing, has_form=st.booleans(),
)  # fmt: skip
receipts = st.builds(
    Receipt, entry=entries, where=texts, done_word=texts, run=st.none() | runs, lines=many(texts), doubts=many(texts)
)
bulks = st.builds(
    Bulk, key=keys, words=texts, typed=texts, made_at=moments, by=people, dry=st.booleans(), stopped=texts,
    items=st.tuples(
        st.lists(st.builds(BulkItem, run=runs, entry=st.none() | entries, why=texts | st.just("")), max_size=3),
        st.sampled_from([1, 1, 1, 80]),
    ).map(lambda it: tuple(it[0] * it[1])),
    notes=many(texts),
)  # fmt: skip
requests = st.builds(
    AccessRequest, key=keys, verb=rights, user=people, user_name=texts, team=texts, channel=channels, at=moments,
    command=texts, settled=st.sampled_from(["", "here", "everywhere", "declined"]), settled_by=people,
)  # fmt: skip
rules = st.builds(
    Grant, verb=rights | st.just("all"), kind=st.sampled_from(["user", "group"]),
    subject=people | st.just("S0TESTERS1"), channel=channels, allow=st.booleans(), by=people, at=moments,
)  # fmt: skip
zones = texts | st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "UTC", "America", "../x"])
timings = st.builds(Timing, texts, zones, texts | st.just("mon-fri at 09:00"))
plans = st.builds(
    DigestPlan, id=keys, team=texts, channel=channels, name=texts | st.just("nightly"), owner=people, owner_name=texts,
    timing=timings, made_at=moments, connection=texts, project=texts, words=texts, typed=texts,
    what=st.lists(st.sampled_from(["failed", "unfinished", "stale"]), max_size=3, unique=True).map(tuple),
    if_empty=st.sampled_from(["skip", "line", "post"]), ask=st.just("") | texts, parked=st.just("") | texts,
    paused_until=maybe_moments | st.just(datetime(9000, 1, 1, tzinfo=UTC)), since=maybe_moments,
)  # fmt: skip
slots = st.builds(Slot, texts | st.just("2026-11-20T09:00"), moments)
points = st.builds(TrendPoint, refs, st.none() | st.floats(0, 1), st.sampled_from(State))
told_streams = st.builds(
    StreamNews, run=runs, turn=st.sampled_from(Turn), runs=counts, failed=counts, broken_for=counts,
    broken_since=maybe_moments, at_least=st.booleans(), trend=many(points),
    tests=many(st.builds(FailedTest, tests, streaks, st.booleans())), tests_total=counts, new=counts, still=counts,
    fixed=counts, flaky=counts, unnamed=counts, missing=missing,
)  # fmt: skip
news = st.builds(
    DigestNews, plan=plans, slot=slots, since=moments, read_at=moments, where=texts, streams=many(told_streams),
    passed=counts, runs=counts, unfinished=many(runs), stale=many(runs), owners=many(st.tuples(texts, many(texts))),
    clusters=many(st.builds(Cluster, texts, counts, many(texts), counts)), before=st.none() | counts,
    troubles=many(troubles), notes=many(texts), belated=counts, late_min=counts,
    skipped=counts,
)  # fmt: skip
parcels = st.builds(
    Parcel, key=keys, team=texts, channel=channels, body=texts, made_at=moments, for_whom=keys, owner=people,
    slot=texts | st.just("2026-11-20T09:00"), under=st.just("") | keys, state=st.sampled_from(Sending), tries=counts,
    tried_at=maybe_moments, posted_at=maybe_moments, reason=texts | st.sampled_from(["is_archived", "new_reason"]),
    repeat=st.booleans(),
)  # fmt: skip
looks = st.builds(
    PlanLook, plan=plans, next=st.lists(slots, max_size=5).map(tuple), reader_zone=zones, sent=many(parcels)
)
faults = errors | st.builds(OurError, texts, why=texts, fix=texts)
answered = st.builds(
    lambda listing, page, now: messages.run_list(listing, again="list", page=page, now=now), lists, pages_asked, moments
)
chosen = st.lists(st.sampled_from(["4", "5", "gone"]) | texts, max_size=4).map(tuple)
fields = st.builds(
    messages.Field, name=st.just("x"), label=texts,
    kind=st.sampled_from(["line", "text", "choice", "choices", "files", "checks"]), value=texts | chosen,
    options=many(st.builds(Choice, texts, texts | st.sampled_from(["4", "5"])), 4), hint=texts, optional=st.booleans(),
    longest=st.integers(-1, 10_000), placeholder=texts,
)  # fmt: skip
forms = st.builds(
    messages.Form, title=texts, submit=texts, intro=many(texts), error=texts,
    fields=st.lists(fields, max_size=6).map(
        lambda several: tuple(replace(field, name=f"field_{place}") for place, field in enumerate(several))
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Kindly:
    """One kind of message: how to make any of them. Slack ids may be mentioned where `mentions`."""

    make: Callable[..., Message]
    values: st.SearchStrategy[object]
    more: Mapping[str, st.SearchStrategy[object]]
    mentions: bool = False


NOW = {"now": moments}
ASKED = {**NOW, "again": texts, "page": pages_asked, "shareable": st.booleans()}

KINDS: dict[str, Kindly] = {
    "run_card": Kindly(messages.run_card, cards, {**NOW, "command": texts, "shareable": st.booleans()}),
    "run_list": Kindly(messages.run_list, lists, ASKED),
    "failures": Kindly(messages.failures, failures, ASKED),
    "results": Kindly(messages.results, result_lists, ASKED),
    "diff": Kindly(messages.diff, diffs, {**NOW, "again": texts, "where": texts, "shareable": st.booleans()}),
    "threads": Kindly(messages.threads, st.builds(ThreadList, run=runs, where=texts, threads=many(threads)), ASKED),
    "here": Kindly(messages.here, heres, NOW, mentions=True),
    "menu": Kindly(messages.menu, st.builds(Menu, here=heres, at_risk=lists), NOW, mentions=True),
    "whoami": Kindly(
        messages.whoami, st.builds(WhoAmI, name=texts, email=texts, role=texts, identities=many(identities)), {}
    ),
    "context_set": Kindly(
        messages.context_set,
        st.builds(ContextSet, connection=views, channel=texts | st.just("D12"), by=texts | st.just("U12")), {},
        mentions=True,
    ),
    "help_index": Kindly(messages.help_index, st.builds(HelpIndex, command=texts, verbs=many(help_verbs)), {}),
    "help_verb": Kindly(messages.help_verb, help_verbs, {}),
    "version": Kindly(messages.version, st.builds(Version, rundown=texts, python=texts, connections=many(views)), {}),
    "complaint": Kindly(messages.complaint, complaints, {}),
    "looking": Kindly(messages.looking, texts, {"system": texts}),
    "proposal": Kindly(messages.proposal, proposals, {**NOW, "changed": texts, "dry": st.booleans()}),
    "working": Kindly(messages.working, texts | proposals.map(messages.doing), {}),
    "cancelled": Kindly(messages.cancelled, st.none() | proposals, {}),
    "form_offer": Kindly(lambda what, verb, value: messages.form_offer(verb, what, value=value), texts,
                         {"verb": rights, "value": texts}),
    "file_sent": Kindly(messages.file_sent, texts, {"count": counts}),
    "receipt": Kindly(messages.receipt, receipts, NOW, mentions=True),
    "late": Kindly(messages.late, entries, {**NOW, "done": texts}, mentions=True),
    "refusal": Kindly(messages.refusal, complaints, {"verb": rights, "askable": st.booleans(), "value": texts}),
    "asked_for_access": Kindly(messages.asked_for_access, requests, {"already": st.booleans()}, mentions=True),
    "access_request": Kindly(messages.access_request, requests, {**NOW, "where": texts}, mentions=True),
    "access_settled": Kindly(messages.access_settled, requests, {}, mentions=True),
    "grants": Kindly(
        messages.grants, many(rules),
        {**NOW, "admins": texts, "can_change": st.booleans(), "page": pages_asked, "again": texts}, mentions=True,
    ),
    "granted": Kindly(messages.granted, rules, {"took_away": st.booleans()}, mentions=True),
    "audit": Kindly(
        messages.audit,
        st.builds(Audit, entries=many(entries), words=texts, whole=st.booleans(), all_attempts=st.booleans()), ASKED,
        mentions=True,
    ),
    "digest": Kindly(messages.digest, news, NOW),
    "digest_missed": Kindly(messages.digest_missed, plans, {**NOW, "slot": slots, "skipped": counts}),
    "digest_failed": Kindly(messages.digest_failed, plans, {**NOW, "slot": slots, "error": faults}),
    "digest_answer": Kindly(messages.digest_answer, plans, {**NOW, "slot": slots, "message": answered}),
    "digest_silent": Kindly(messages.digest_silent, plans, {}),
    "digest_planned": Kindly(messages.digest_planned, looks, NOW, mentions=True),
    "digest_plan": Kindly(messages.digest_plan, looks, NOW, mentions=True),
    "digest_plans": Kindly(messages.digest_plans, many(looks), {**NOW, "page": pages_asked}),
    "digest_removed": Kindly(messages.digest_removed, plans, {"by": people}, mentions=True),
    "digest_parked": Kindly(messages.digest_parked, plans, {**NOW, "reason": texts}, mentions=True),
    "bulk": Kindly(messages.bulk, bulks, {**NOW, "page": pages_asked, "under_way": st.booleans()}),
}  # fmt: skip
