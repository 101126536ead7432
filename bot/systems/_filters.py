"""Which runs are wanted, decided here: what a system sorts out itself is taken off the query first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from bot.domain.model import Run, State
from bot.domain.outcomes import Outcome
from bot.domain.queries import RunQuery
from bot.systems._names import none_such

T = TypeVar("T")
Keep = Callable[[Run], bool]

#: Words for a run as a whole. `blocked` is not among them: it asks for runs with a blocked test, finished or not.
STATES = frozenset(state.value for state in State) - {State.FAILED, State.BLOCKED}
#: Words that every system takes, best known first.
WORDS = tuple(dict.fromkeys(word.value for word in (*State, *Outcome) if word is not Outcome.OTHER))
_MEANS = {word: word for word in (*WORDS, Outcome.OTHER.value)} | {"success": "passed", "failure": "failed"}


def in_status(run: Run, word: str) -> bool:
    """What `--status` means in every system. The word is small: a state, an outcome, or a label of the system's own.

    - `failed`: some test failed, or the system says that the run did; finished or not;
    - `passed`: the run is finished, and all that ran in it passed;
    - `failing`, `incomplete`, `running`, `open`: the run's state;
    - any other outcome (`blocked`, `retest`, `skipped`, `untested`, `other`) or label: some test is such a one.
      Where the counts of a run could not be read, its own verdict is all there is to go by.
    """
    if word == State.FAILED:
        return run.failing
    if word in STATES:
        return run.state.value == word
    if word == Outcome.OTHER:
        return bool(run.tally.other)
    if run.missing and run.verdict is not None and run.verdict.value == word:
        return True
    return any(word == name.casefold() for name, _ in run.tally.parts())


def is_common(word: str) -> bool:
    """Whether a word means the same status in every system."""
    return word.strip().casefold() in _MEANS


def status_words(system: str, typed: Sequence[str], own: Mapping[str, str]) -> frozenset[str]:
    """The words for `in_status` that people mean: those that all systems share, and what is this system's `own`.

    `own` has labels and numbers of statuses, each with the word for it. Raises NotFoundError.
    """
    means = {name.strip().casefold(): word.casefold() for name, word in own.items()} | _MEANS
    found: set[str] = set()
    for word in typed:
        meant = means.get(word.strip().casefold())
        if meant is None:
            labels = [name for name in own if not name.isdigit() and not is_common(name)]
            raise none_such(system, "status", word, [*labels, *WORDS], fix="Take one of these.")
        found.add(meant)
    return frozenset(found)


def keeping(query: RunQuery, statuses: Collection[str] = ()) -> Keep | None:
    """Whether a run is wanted, as far as a run itself can tell; None when the query leaves nothing to sort out.

    Names of milestones, configurations, sources, suites and people are not looked at: systems go by their numbers.
    """
    wanted = [*_wanted(query), *([lambda run: any(in_status(run, word) for word in statuses)] if statuses else ())]
    return (lambda run: all(each(run) for each in wanted)) if wanted else None


def _wanted(query: RunQuery) -> Iterable[Keep]:
    some, none = _folded(query.tag), _folded(query.without_tag)
    words, refs = _folded(query.words), query.refs.strip().casefold()
    if query.state != "all":
        yield lambda run: run.finished is (query.state == "closed")
    if query.since or query.until:
        yield lambda run: within(run.created_at, query.since, query.until)
    if query.closed_since or query.closed_until:
        yield lambda run: within(run.finished_at, query.closed_since, query.closed_until)
    if words:
        yield lambda run: has_words(words, run.name, run.series, run.source, run.config, *run.tags)
    if some:
        yield lambda run: not some.isdisjoint(_folded(run.tags))
    if none:
        yield lambda run: none.isdisjoint(_folded(run.tags))
    if refs:
        yield lambda run: refs in run.refs.casefold()


def has_words(words: Iterable[str], *texts: str) -> bool:
    """Whether each word is somewhere in the texts, in any case."""
    text = "\n".join(texts).casefold()
    return all(word.casefold() in text for word in words)


def within(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    """Whether a time lies in the bounds, both included. A time that is not told lies in none."""
    if at is None:
        return since is None and until is None
    return (since is None or at >= since) and (until is None or at <= until)


def first_of_each(rows: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
    """The first row of each key, in their order: of results with the newest first, the latest of each test."""
    found: dict[Hashable, T] = {}
    for row in rows:
        found.setdefault(key(row), row)
    return list(found.values())


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)
