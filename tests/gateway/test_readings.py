"""Who measures, who waits, and who gets what is there."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
from redis_server import Counted, RedisServer, replica_of, until

from gateway import unclaimed
from gateway.errors import ProviderError, ProviderUnreachable
from gateway.gate import Gate
from gateway.memory import Memory
from gateway.model import Reading, ResultType
from gateway.readings import Answer, CacheState, Freshness, Readings

READING = Reading(0.5, ResultType.FLOAT, "0.5")
EMPTY = Reading((), ResultType.FLOATS, "[]", is_empty=True)
PARTIAL = replace(READING, is_partial=True)
REFUSED = ProviderUnreachable("connection refused")
BY_DEFAULT = Freshness(5, is_explicit=False)
NOW = Freshness(0, is_explicit=True)
STARTED_UNIX_S = 1_000_000.0


@dataclass
class World:
    """One process without Redis, its clocks, and a provider that answers when told to."""

    now_s: float = 0.0
    wall_jump_s: float = 0.0
    longest_flight_s: float = 60.0
    counted: Counted = field(default_factory=Counted)
    asked: list[asyncio.Future[Reading]] = field(default_factory=list)
    readings: Readings = field(init=False)

    def __post_init__(self) -> None:
        self.readings = Readings(
            memory=Memory(max_entries=100, max_bytes=100_000, retention_s=300),
            shared=None,
            observer=self.counted,
            longest_flight_s=self.longest_flight_s,
            now_unix_s=lambda: STARTED_UNIX_S + self.now_s + self.wall_jump_s,
            monotonic_s=lambda: self.now_s,
        )

    async def measure(self) -> Reading:
        """The provider."""
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]

    def ask(self, freshness: Freshness = BY_DEFAULT) -> asyncio.Task[Answer]:
        """A caller."""
        return asyncio.create_task(self.readings.read("question", freshness, self.measure))

    def answer(self, outcome: Reading | Exception = READING) -> None:
        """Let the newest measurement end."""
        if isinstance(outcome, Exception):
            self.asked[-1].set_exception(outcome)
        else:
            self.asked[-1].set_result(outcome)


async def settle() -> None:
    """Let everything happen that can happen now."""
    for _ in range(20):
        await asyncio.sleep(0)


async def left_alone(world: World, outcome: Reading | Exception, *, at_s: float) -> None:
    """A caller asks and leaves; the outcome comes when nobody waits for it."""
    caller = world.ask()
    await settle()
    caller.cancel()
    await settle()
    world.now_s = at_s
    world.answer(outcome)
    await settle()


async def test_what_waits_to_be_sent_has_not_begun() -> None:
    """So it serves who asks meanwhile, and its reading is as old as its first request."""
    world = World()
    gate = Gate(places=1)

    async def measure() -> Reading:
        async with gate.place("a", until_s=math.inf):
            await world.measure()
        async with gate.place("a", until_s=math.inf):
            return READING

    fresh = Freshness(0.5, is_explicit=True)
    async with gate.place("b", until_s=math.inf):
        callers = [asyncio.create_task(world.readings.read("q", fresh, measure))]
        await settle()
        world.now_s = 10.0
        callers.append(asyncio.create_task(world.readings.read("q", fresh, measure)))
        await settle()
    await settle()
    world.now_s = 12.0
    world.answer()
    answers = await asyncio.gather(*callers)
    assert [each.age_s for each in answers] == [2.0, 2.0]
    assert len(world.asked) == 1


async def test_a_reading_is_measured_once_and_then_kept() -> None:
    """The second caller gets the first one's reading, and is told how old it is."""
    world = World()
    first = world.ask()
    await settle()
    world.now_s = 1.5
    world.answer()
    second = await first, await world.ask()
    world.now_s = 4
    third = world.readings.peek("question", BY_DEFAULT)
    assert second == (
        Answer(READING, STARTED_UNIX_S, 1.5, CacheState.MISS),
        Answer(READING, STARTED_UNIX_S, 1.5, CacheState.HIT),
    )
    assert third == Answer(READING, STARTED_UNIX_S, 4.0, CacheState.HIT)
    assert world.counted.lookups == ["miss", "hit", "hit"]
    assert (world.counted.flights, world.counted.in_flight) == (1, 0)


@pytest.mark.parametrize(
    ("age_s", "freshness", "is_kept"),
    [
        pytest.param(5, BY_DEFAULT, True, id="as-old-as-the-default"),
        pytest.param(5.1, BY_DEFAULT, False, id="older-than-the-default"),
        pytest.param(60, Freshness(60, is_explicit=True), True, id="as-old-as-asked-for"),
        pytest.param(2, Freshness(1, is_explicit=True), False, id="older-than-asked-for"),
        pytest.param(0.001, NOW, False, id="no-cache"),
        pytest.param(301, Freshness(999, is_explicit=True), False, id="older-than-the-retention"),
    ],
)
async def test_a_caller_says_how_old_a_reading_may_be(
    age_s: float, freshness: Freshness, *, is_kept: bool
) -> None:
    """Whether a kept reading serves depends on its age and on the caller alone."""
    world = World()
    first = world.ask()
    await settle()
    world.answer()
    await first
    world.now_s = age_s
    world.wall_jump_s = -86_400
    second = world.ask(freshness)
    await settle()
    assert second.done() is is_kept
    assert len(world.asked) == (1 if is_kept else 2)
    second.cancel()


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(EMPTY, id="empty"),
        pytest.param(PARTIAL, id="partial"),
        pytest.param(REFUSED, id="an-error"),
        pytest.param(KeyError("a bug"), id="an-error-that-nobody-foresaw"),
        pytest.param(TimeoutError("a time-out of its own"), id="a-time-out"),
    ],
)
async def test_what_is_no_good_reading_serves_those_who_wait_and_nobody_else(
    outcome: Reading | Exception,
) -> None:
    """Everybody who waits gets the same outcome; the next caller measures anew."""
    world = World()
    waiting = [world.ask() for _ in range(3)]
    await settle()
    world.answer(outcome)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    world.ask()
    await settle()
    got = [result.reading if isinstance(result, Answer) else result for result in results]
    assert got == [outcome] * 3
    assert world.counted.lookups == ["miss", "coalesced", "coalesced"]
    assert len(world.asked) == 2
    await world.readings.drain(0)


async def test_an_error_that_many_callers_get_does_not_grow() -> None:
    """Each raise would add its frames to the one error that they share."""
    world = World()
    waiting = [world.ask() for _ in range(200)]
    await settle()
    world.answer(REFUSED)
    await asyncio.gather(*waiting, return_exceptions=True)
    frames, trace = 0, REFUSED.__traceback__
    while trace is not None:
        frames, trace = frames + 1, trace.tb_next
    assert frames < 10


@pytest.mark.parametrize(
    ("under_way_s", "freshness", "joins"),
    [
        pytest.param(4, BY_DEFAULT, True, id="a-young-measurement"),
        pytest.param(30, BY_DEFAULT, True, id="an-old-one-if-nothing-was-said"),
        pytest.param(4, Freshness(4, is_explicit=True), True, id="one-as-old-as-asked-for"),
        pytest.param(4, Freshness(3, is_explicit=True), False, id="one-older-than-asked-for"),
        pytest.param(0.001, NOW, False, id="no-cache-joins-none-that-was-there-before"),
    ],
)
async def test_a_measurement_under_way_is_joined_if_it_is_young_enough(
    under_way_s: float, freshness: Freshness, *, joins: bool
) -> None:
    """A reading is as old as the begin of its measurement."""
    world = World()
    first = world.ask()
    await settle()
    world.now_s = under_way_s
    second = world.ask(freshness)
    await settle()
    assert len(world.asked) == (1 if joins else 2)
    for measurement in world.asked:
        measurement.set_result(READING)
    states = {(await first).cache, (await second).cache}
    assert states == ({CacheState.MISS, CacheState.COALESCED} if joins else {CacheState.MISS})


async def test_callers_with_no_cache_who_come_at_once_share_a_measurement() -> None:
    """It begins after all of them have asked."""
    world = World()
    callers = [world.ask(NOW) for _ in range(50)]
    await settle()
    world.answer()
    answers = await asyncio.gather(*callers)
    assert len(world.asked) == 1
    assert [answer.cache for answer in answers].count(CacheState.COALESCED) == 49


async def test_the_older_of_two_measurements_does_not_replace_the_newer() -> None:
    """A slow measurement that was overtaken ends last; its reading is not kept."""
    world = World()
    newer = Reading(0.7, ResultType.FLOAT, "0.7")
    slow = world.ask()
    await settle()
    world.now_s = 1
    quick = world.ask(NOW)
    await settle()
    world.answer(newer)
    await quick
    world.asked[0].set_result(READING)
    assert (await slow).reading == READING
    kept = world.readings.peek("question", BY_DEFAULT)
    assert kept is not None
    assert kept.reading == newer


@pytest.mark.parametrize(
    ("outcome", "at_s", "asked_at_s", "freshness", "is_handed_out"),
    [
        pytest.param(READING, 20, 50, BY_DEFAULT, True, id="a-reading-however-old"),
        pytest.param(EMPTY, 20, 50, BY_DEFAULT, True, id="an-empty-one"),
        pytest.param(REFUSED, 20, 50, BY_DEFAULT, True, id="an-error"),
        pytest.param(KeyError("bug"), 20, 50, BY_DEFAULT, True, id="an-unforeseen-error"),
        pytest.param(REFUSED, 20, 80, BY_DEFAULT, True, id="until-a-minute-after-it-came"),
        pytest.param(REFUSED, 20, 80.1, BY_DEFAULT, False, id="and-no-longer"),
        pytest.param(
            REFUSED, 20, 50, Freshness(50, is_explicit=True), True, id="young-enough-as-asked-for"
        ),
        pytest.param(
            REFUSED, 20, 50, Freshness(49, is_explicit=True), False, id="older-than-asked-for"
        ),
        pytest.param(REFUSED, 0, 0.1, NOW, False, id="never-to-no-cache"),
    ],
)
async def test_an_outcome_that_nobody_waited_for_is_for_the_next_caller(
    outcome: Reading | Exception,
    at_s: float,
    asked_at_s: float,
    freshness: Freshness,
    *,
    is_handed_out: bool,
) -> None:
    """Work that outlives its caller is not lost, and is not handed out for ever."""
    world = World()
    await left_alone(world, outcome, at_s=at_s)
    world.now_s = asked_at_s
    next_caller = world.ask(freshness)
    await settle()
    assert next_caller.done() is is_handed_out
    assert len(world.asked) == (1 if is_handed_out else 2)
    if is_handed_out:
        result = (await asyncio.gather(next_caller, return_exceptions=True))[0]
        assert (result.reading if isinstance(result, Answer) else result) == outcome
        assert world.counted.lookups == ["hit"]
        world.ask(Freshness(5, is_explicit=False))
        await settle()
        assert len(world.asked) == 2
    await world.readings.drain(0)
    await asyncio.gather(next_caller, return_exceptions=True)


async def test_news_that_nobody_has_seen_go_before_what_is_remembered() -> None:
    """A failure that came later is not hidden by an older reading that would still serve."""
    world = World()
    first = world.ask()
    await settle()
    world.answer()
    await first
    world.now_s = 1
    leaving = world.ask(NOW)
    await settle()
    leaving.cancel()
    await settle()
    world.answer(REFUSED)
    await settle()
    assert world.readings.peek("question", BY_DEFAULT) is None
    with pytest.raises(ProviderUnreachable):
        await world.ask()
    assert world.readings.peek("question", BY_DEFAULT) is not None


async def test_news_of_no_use_to_a_caller_do_not_hide_what_is_remembered() -> None:
    """Who takes only what is young is not made to measure because something old waits."""
    world = World()
    await left_alone(world, REFUSED, at_s=0)
    world.now_s = 10
    first = world.ask(NOW)
    await settle()
    world.answer()
    await first
    assert world.readings.peek("question", NOW) is not None


async def test_only_so_many_outcomes_wait_for_a_next_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest go first."""
    monkeypatch.setattr(unclaimed, "MAX_UNCLAIMED", 2)
    world = World()

    async def fail() -> Reading:
        raise REFUSED

    for name in "abc":
        leaving = asyncio.create_task(world.readings.read(name, BY_DEFAULT, fail))
        await asyncio.sleep(0)
        leaving.cancel()
        await settle()
    flights = world.counted.flights
    for name in "abc":
        with pytest.raises(ProviderUnreachable):
            await world.readings.read(name, BY_DEFAULT, fail)
    assert (flights, world.counted.flights) == (3, 4)


async def test_a_caller_who_comes_after_all_others_left_joins_their_measurement() -> None:
    """It is not begun again for each caller with little patience."""
    world = World()
    first = world.ask()
    await settle()
    first.cancel()
    await settle()
    world.now_s = 30
    second = world.ask()
    await settle()
    world.answer()
    assert (await second).cache is CacheState.COALESCED
    assert len(world.asked) == 1


async def test_a_measurement_without_end_is_given_up() -> None:
    """Else nobody would ever measure its question again."""
    world = World(longest_flight_s=0.02)
    with pytest.raises(ProviderUnreachable) as caught:
        await world.ask()
    assert str(caught.value) == (
        "no answer within 0.02s, the longest that a measurement may take"
        " (verdicts.measurementTimeout)"
    )
    assert world.asked[0].cancelled()


async def test_who_asks_says_how_long_a_measurement_may_take() -> None:
    """A Job takes minutes, and a question that cannot is given up as soon as it says."""
    world = World(longest_flight_s=0.02)
    patient = asyncio.create_task(
        world.readings.read("job", BY_DEFAULT, world.measure, longest_s=60.0)
    )
    await asyncio.sleep(0.05)
    assert not patient.done()
    world.answer()
    assert (await patient).cache is CacheState.MISS
    world.longest_flight_s = 60.0
    with pytest.raises(ProviderUnreachable) as caught:
        await world.readings.read("other", BY_DEFAULT, world.measure, longest_s=0.01)
    # No setting is named: it is not the one for all measurements that was too short.
    assert str(caught.value) == "no answer within 0.01s, the longest that a measurement may take"


async def test_a_measurement_that_leaves_like_a_generator_fails() -> None:
    """Whoever waits hears of it, and the next one who asks measures anew."""
    world = World()

    async def leave() -> Reading:
        raise GeneratorExit

    async with asyncio.timeout(5):
        with pytest.raises(ProviderError, match=r"^the measurement ended in GeneratorExit$"):
            await world.readings.read("question", NOW, leave)
    caller = world.ask(NOW)
    await settle()
    world.answer()
    assert (await caller).reading == READING


async def test_draining_waits_for_what_is_under_way() -> None:
    """A measurement that ends within the grace period is not lost."""
    world = World()
    await world.readings.drain(1)
    caller = world.ask()
    await settle()
    draining = asyncio.create_task(world.readings.drain(10))
    await settle()
    assert not draining.done()
    world.answer()
    await draining
    assert (await caller).reading == READING


async def test_what_takes_longer_than_the_grace_period_fails() -> None:
    """Its callers hear an error of the measurement, not that they themselves were cancelled."""
    world = World()
    caller = world.ask()
    await settle()
    await world.readings.drain(0)
    with pytest.raises(ProviderError, match=r"^given up: the gateway is shutting down$"):
        await caller
    assert (world.asked[0].cancelled(), world.counted.in_flight) == (True, 0)


def provider_of(*outcomes: Reading | Exception) -> Callable[[], Awaitable[Reading]]:
    """A provider with a list of outcomes; a measurement too many fails."""
    left = iter(outcomes)

    async def measure() -> Reading:
        outcome = next(left, AssertionError("measured too often"))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return measure


@pytest.mark.parametrize(
    ("outcome", "is_shared"),
    [
        pytest.param(READING, True, id="a-good-reading"),
        pytest.param(EMPTY, False, id="empty"),
        pytest.param(PARTIAL, False, id="partial"),
        pytest.param(REFUSED, False, id="an-error"),
        pytest.param(replace(READING, result="\ud800"), False, id="not-to-be-written-down"),
        pytest.param(replace(READING, result="x" * 2**20), False, id="too-large"),
    ],
)
async def test_replicas_share_good_readings_only(
    redis_server: RedisServer, outcome: Reading | Exception, *, is_shared: bool
) -> None:
    """Another replica measures at once what the first one did not share."""
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        await asyncio.gather(
            first.readings.read("question", BY_DEFAULT, provider_of(outcome)),
            return_exceptions=True,
        )
        await first.readings.drain(1)
        left_in_redis = redis_server.cli("dbsize").strip()
        answer = await second.readings.read("question", BY_DEFAULT, provider_of(READING))
    assert left_in_redis == ("1" if is_shared else "0")
    assert answer.reading == READING
    assert answer.cache is (CacheState.HIT if is_shared else CacheState.MISS)


@pytest.mark.parametrize(
    "is_waited_for",
    [pytest.param(True, id="seen"), pytest.param(False, id="seen-by-nobody")],
)
async def test_what_is_not_for_other_replicas_stays_in_this_one(
    redis_server: RedisServer, *, is_waited_for: bool
) -> None:
    """Redis is not even asked; the next caller here is served as ever."""
    gate = asyncio.Event()

    async def measure() -> Reading:
        await gate.wait()
        return READING

    async with replica_of(redis_server.url) as replica:
        mine = Freshness(5, is_explicit=True, is_shared=False)
        caller = asyncio.create_task(replica.readings.read("question", mine, measure))
        await settle()
        if not is_waited_for:
            caller.cancel()
        gate.set()
        await replica.readings.drain(1)
        await asyncio.gather(caller, return_exceptions=True)
        next_one = await replica.readings.read("question", BY_DEFAULT, provider_of())
    assert redis_server.cli("dbsize").strip() == "0"
    assert next_one.cache is CacheState.HIT


@pytest.mark.alone
@pytest.mark.parametrize("is_explicit", [True, False])
async def test_a_caller_who_wants_it_younger_does_not_take_what_redis_had_for_another(
    redis_server: RedisServer, *, is_explicit: bool
) -> None:
    """Two callers at once: an old reading serves one, and the other measures."""
    newer = Reading(0.7, ResultType.FLOAT, "0.7")
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        await first.readings.read("question", BY_DEFAULT, provider_of(READING))
        await first.readings.drain(1)
        await asyncio.sleep(0.05)
        measure = provider_of(newer)
        lenient, strict = await asyncio.gather(
            second.readings.read("question", Freshness(60, is_explicit=True), measure),
            second.readings.read("question", Freshness(0.04, is_explicit=is_explicit), measure),
        )
    assert (lenient.reading, lenient.cache) == (READING, CacheState.HIT)
    assert (strict.reading, strict.cache) == (newer, CacheState.MISS)


async def test_replicas_wait_for_the_one_that_measures(redis_server: RedisServer) -> None:
    """Followers get the leader's reading, as old as its measurement, and keep it."""
    is_free = asyncio.Event()

    async def measure_when_free() -> Reading:
        await is_free.wait()
        return READING

    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leading = asyncio.create_task(first.readings.read("q", BY_DEFAULT, measure_when_free))
        await until(lambda: first.counted.in_flight == 1)
        following = [
            asyncio.create_task(second.readings.read("q", BY_DEFAULT, provider_of()))
            for _ in range(2)
        ]
        await asyncio.sleep(0.1)
        is_free.set()
        answers = [await leading, *await asyncio.gather(*following)]
        again = await second.readings.read("q", BY_DEFAULT, provider_of())
    assert [answer.cache for answer in answers] == ["miss", "coalesced", "coalesced"]
    assert min(answer.age_s for answer in answers) > 0.09
    assert again.cache is CacheState.HIT


async def test_who_follows_a_slow_measurement_takes_what_comes(redis_server: RedisServer) -> None:
    """Else a provider slower than the default age would be asked by one replica after another."""
    short = Freshness(0.01, is_explicit=False)

    async def measure_slowly() -> Reading:
        await asyncio.sleep(0.15)
        return READING

    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leading = asyncio.create_task(first.readings.read("q", short, measure_slowly))
        await asyncio.sleep(0.1)
        answers = [await second.readings.read("q", short, measure_slowly), await leading]
        flights = first.counted.flights + second.counted.flights
    assert {answer.cache for answer in answers} == {CacheState.MISS, CacheState.COALESCED}
    assert flights == 1


async def test_a_reading_that_nobody_waited_for_is_not_forced_on_who_wants_it_younger(
    redis_server: RedisServer,
) -> None:
    """A caller who says how old a reading may be is never given an older one."""
    newer = Reading(0.7, ResultType.FLOAT, "0.7")
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leaving = asyncio.create_task(first.readings.read("q", BY_DEFAULT, provider_of(READING)))
        await asyncio.sleep(0)
        leaving.cancel()
        await first.readings.drain(1)
        await asyncio.sleep(0.02)
        strict = Freshness(0.01, is_explicit=True)
        answer = await second.readings.read("q", strict, provider_of(newer))
    assert (answer.reading, answer.cache) == (newer, CacheState.MISS)


@pytest.mark.parametrize("finder", ["first", "second"])
async def test_a_reading_that_nobody_waited_for_is_handed_out_once_over_all_replicas(
    redis_server: RedisServer, finder: str
) -> None:
    """Whoever asks first gets it; who asks next measures."""
    short = Freshness(0.01, is_explicit=False)
    newer = Reading(0.7, ResultType.FLOAT, "0.7")
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leaving = asyncio.create_task(first.readings.read("q", short, provider_of(READING)))
        await asyncio.sleep(0)
        leaving.cancel()
        await first.readings.drain(1)
        await asyncio.sleep(0.05)
        replicas = [first, second] if finder == "first" else [second, first]
        found = await replicas[0].readings.read("q", short, provider_of())
        after = await replicas[1].readings.read("q", short, provider_of(newer))
    assert (found.reading, found.cache) == (READING, CacheState.HIT)
    assert found.age_s > 0.05
    assert (after.reading, after.cache) == (newer, CacheState.MISS)


@pytest.mark.parametrize("finder", ["first", "second"])
async def test_a_reading_that_nobody_waited_for_yields_to_a_newer_one(
    redis_server: RedisServer, finder: str
) -> None:
    """What a caller measured anew replaces it for all replicas: it may be worse."""
    short = Freshness(0.01, is_explicit=False)
    worse, newest = Reading(0.1, ResultType.FLOAT, "0.1"), Reading(0.2, ResultType.FLOAT, "0.2")
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leaving = asyncio.create_task(first.readings.read("q", short, provider_of(READING)))
        await asyncio.sleep(0)
        leaving.cancel()
        await first.readings.drain(1)
        seen = await first.readings.read("q", NOW, provider_of(worse))
        await first.readings.drain(1)
        await asyncio.sleep(0.05)
        replica = first if finder == "first" else second
        after = await replica.readings.read("q", short, provider_of(newest))
    assert seen.reading == worse
    assert (after.reading, after.cache) == (newest, CacheState.MISS)


async def test_an_old_outcome_without_redis_yields_to_a_newer_reading() -> None:
    """A slow measurement whose callers left may end after a newer one was seen."""
    world = World()
    leaving = world.ask()
    await settle()
    slow = world.asked[0]
    leaving.cancel()
    world.now_s = 1
    newer = world.ask(NOW)
    await settle()
    world.answer(replace(READING, text="newer"))
    assert (await newer).reading.text == "newer"
    slow.set_result(READING)
    await settle()
    world.now_s = 10
    after = world.ask()
    await settle()
    world.answer(replace(READING, text="newest"))
    assert (await after).reading.text == "newest"


async def test_a_reading_that_nobody_waited_for_survives_redis(redis_server: RedisServer) -> None:
    """Without Redis it is kept in the process that measured it."""
    short = Freshness(0.01, is_explicit=False)
    async with replica_of(redis_server.url) as replica:
        redis_server.kill()
        leaving = asyncio.create_task(replica.readings.read("q", short, provider_of(READING)))
        await asyncio.sleep(0)
        leaving.cancel()
        await replica.readings.drain(1)
        await asyncio.sleep(0.02)
        found = await replica.readings.read("q", short, provider_of())
    assert (found.reading, found.cache) == (READING, CacheState.HIT)


async def test_a_replica_that_shuts_down_gives_up_its_lead(redis_server: RedisServer) -> None:
    """Another replica does not wait for the lease to run out."""
    never = asyncio.Event()

    async def measure_for_ever() -> Reading:
        await never.wait()
        return READING

    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leading = asyncio.create_task(first.readings.read("q", BY_DEFAULT, measure_for_ever))
        await until(lambda: first.counted.in_flight == 1)
        await first.readings.drain(0)
        assert redis_server.cli("dbsize").strip() == "0"
        answer = await second.readings.read("q", BY_DEFAULT, provider_of(READING))
        assert answer.cache is CacheState.MISS
        with pytest.raises(ProviderUnreachable):
            await leading


async def test_a_follower_who_wants_it_younger_takes_over(redis_server: RedisServer) -> None:
    """A measurement that began too long ago is not waited for."""
    is_free = asyncio.Event()

    async def measure_when_free() -> Reading:
        await is_free.wait()
        return READING

    newer = Reading(0.7, ResultType.FLOAT, "0.7")
    async with replica_of(redis_server.url) as first, replica_of(redis_server.url) as second:
        leading = asyncio.create_task(first.readings.read("q", BY_DEFAULT, measure_when_free))
        await until(lambda: first.counted.in_flight == 1)
        await asyncio.sleep(0.05)
        strict = Freshness(0.02, is_explicit=True)
        answer = await second.readings.read("q", strict, provider_of(newer))
        await second.readings.drain(1)
        is_free.set()
        assert (await leading).reading == READING
        await first.readings.drain(1)
        # What began later stays, although the other one came last.
        async with replica_of(redis_server.url) as third:
            kept = await third.readings.read("q", BY_DEFAULT, provider_of())
    assert (answer.reading, answer.cache) == (newer, CacheState.MISS)
    assert kept.reading == newer
