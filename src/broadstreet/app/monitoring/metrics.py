"""The hub's numbers in the text format of Prometheus: no personal data, and few labels.

Labels are names of followers, states, codes, tables and senders; of senders the `MOST_SENDERS` with the most
messages, all others together as `other`, so that nobody can make the list endless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from broadstreet import __version__
from broadstreet.app.core import Core
from broadstreet.app.receiving.line import Told
from broadstreet.app.status import DELIVERY_STATES, Feed, feeds_of, followers_of, states_of
from broadstreet.store.meter import Histogram
from broadstreet.store.outbox import OUTBOX
from broadstreet.store.quarantine import QUARANTINE

MOST_SENDERS = 100
OTHER = "other"
_P = "broadstreet_"


class HubMetrics(Collector):
    """Gathers the numbers of a hub when they are asked for.

    Parameters
    ----------
    core
        The store, committer and followers.
    door
        Tells of acknowledgements by code, of what happened by reason (dropped, refused, tolerated in frames),
        and how many connections are open.
    """

    def __init__(
        self,
        core: Core,
        door: Callable[[], Told],
    ) -> None:
        self._core, self._door = core, door
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return every metric in Prometheus's text format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are gathered with the numbers."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its help."""
        yield _gauge("info", "The release that runs.", {(__version__,): 1}, ("version",))
        yield from self._commits()
        yield from self._store()
        yield from self._followers()
        yield from _of_feeds(feeds_of(self._core.store))
        yield from self._doors()

    def _commits(self) -> Iterator[Metric]:
        committer = self._core.committer
        read = committer.meter.read()
        yield _gauge("log_head", "The newest position of the log.", {(): committer.head})
        yield _counter("committed_entries", "Entries committed since the start.", {(): read.entries})
        yield _counter("committed_bytes", "Bytes of bodies committed since the start.", {(): read.bytes})
        yield _histogram("commit_entries", "Entries of a commit.", read.sizes)
        yield _histogram(
            "commit_seconds", "Seconds of a commit, the sync to the disk included.", read.seconds
        )
        failures = {(reason,): read.failures.get(reason, 0) for reason in ("full", "other")}
        yield _counter("commit_failures", "Commits that kept nothing.", failures, ("reason",))
        yield _gauge("commit_queue", "Works that wait to be committed.", {(): committer.waiting})

    def _store(self) -> Iterator[Metric]:
        store = self._core.store
        volume = store.volume()
        parts = {(part,): size for part, size in volume.bytes.items()}
        yield _gauge("store_bytes", "Bytes of the store's files.", parts, ("part",))
        if volume.free is not None:
            yield _gauge("store_free_bytes", "Bytes that are left on the store's disk.", {(): volume.free})
        rows = {(table,): n for table, n in self._core.census().items()}
        yield _gauge("index_rows", "Rows of the search index, counted after each purge.", rows, ("table",))
        held = states_of(store, QUARANTINE, ("held", "released", "discarded"))
        yield _by_state("quarantine_messages", "Messages that are or were in quarantine.", held)
        sent = states_of(store, OUTBOX, DELIVERY_STATES)
        yield _by_state("outbox_deliveries", "Side effects by how far they have come.", sent)

    def _followers(self) -> Iterator[Metric]:
        core = self._core
        found = followers_of(core.store, core.committer.head, core.followers.faults)
        lag = {(one.name,): max(0, one.behind) for one in found}
        yield _gauge("follower_lag_entries", "Entries that a follower has not seen.", lag, ("follower",))
        stopped = {(one.name,): int(one.fault is not None) for one in found}
        yield _gauge("follower_stopped", "1 if a follower has stopped.", stopped, ("follower",))

    def _doors(self) -> Iterator[Metric]:
        told = self._door()
        codes = {(code,): told.answered.get(code, 0) for code in ("AA", "AE", "AR")}
        yield _counter("acknowledgements", "HL7 v2 acknowledgements since the start.", codes, ("code",))
        yield _gauge("connections", "Open connections.", {("hl7v2",): told.connections}, ("door",))
        happened = {(reason,): n for reason, n in sorted(told.counted.items()) if reason != "answered"}
        yield _counter("door_events", "What doors dropped, refused or tolerated.", happened, ("reason",))


def _of_feeds(feeds: Sequence[Feed]) -> Iterator[Metric]:
    ranked = sorted(feeds, key=lambda feed: feed.messages, reverse=True)
    names = {feed.source: feed.source if n < MOST_SENDERS else OTHER for n, feed in enumerate(ranked)}
    outcomes: Counter[tuple[str, ...]] = Counter()
    sizes: Counter[tuple[str, ...]] = Counter()
    reused: Counter[tuple[str, ...]] = Counter()
    last: dict[tuple[str, ...], float] = {}
    for feed in ranked:
        name = names[feed.source]
        for outcome in ("accepted", "refused", "duplicates"):
            outcomes[name, outcome] += getattr(feed, outcome)
        sizes[name,] += feed.bytes
        reused[name,] += feed.reused
        last[name,] = max(last.get((name,), 0.0), feed.last_at.timestamp())
    sender = ("sender",)
    yield _counter("feed_messages", "Messages by what became of them.", outcomes, ("sender", "outcome"))
    yield _counter("feed_bytes", "Bytes of messages.", sizes, sender)
    yield _counter("feed_control_ids_reused", "Control ids that came with another message.", reused, sender)
    yield _gauge("feed_last_message_timestamp_seconds", "When a sender was last heard.", last, sender)


Labels = TypeVar("Labels", bound=tuple[str, ...])
Samples = Mapping[Labels, float]


def _by_state(name: str, told: str, states: Mapping[str, int]) -> Metric:
    return _gauge(name, told, {(state,): n for state, n in states.items()}, ("state",))


def _gauge(name: str, told: str, samples: Samples[Labels], labels: tuple[str, ...] = ()) -> Metric:
    return _filled(GaugeMetricFamily(_P + name, told, labels=labels), samples)


def _counter(name: str, told: str, samples: Samples[Labels], labels: tuple[str, ...] = ()) -> Metric:
    return _filled(CounterMetricFamily(_P + name, told, labels=labels), samples)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Samples[Labels]) -> Metric:
    for labels, value in samples.items():
        family.add_metric(labels, value)
    return family


def _histogram(name: str, told: str, held: Histogram) -> Metric:
    buckets, below = [], 0
    for bound, n in zip((*map(str, held.bounds), "+Inf"), held.counts, strict=True):
        below += n
        buckets.append((bound, below))
    family = HistogramMetricFamily(_P + name, told)
    family.add_metric([], buckets, held.total)
    return family
