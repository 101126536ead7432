"""Whatever a test system, a person or a mistake may put into a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

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
from bot.domain.errors import Choice, GrammarError, UnavailableFault
from bot.domain.model import Kind, Person, Project, Result, Run, RunRef, State, Test, Thread
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
kinds = st.builds(
    Kind,
    st.sampled_from(["R", "A", "S"]),
    texts,
    texts,
    texts,
    verbs=st.frozensets(st.sampled_from(["failures", "diff"])),
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
}  # fmt: skip
