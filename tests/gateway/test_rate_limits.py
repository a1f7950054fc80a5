"""Limits of vendors are honoured within the time of a request; times are virtual."""

import asyncio
from dataclasses import replace

import pytest
from rate_limited_vendor import GREEN, Gateway, Vendor, limited, request
from virtual_time import in_virtual_time, now_s

from gateway.errors import ProviderUnreachable
from gateway.provider import HttpRequest, HttpResponse
from gateway.upstreams.silences import LONGEST_S, MAX_BODY_BYTES, SHORTEST_S

ORDER = request(method="POST")
GONE = ProviderUnreachable("connection refused")


@pytest.mark.parametrize(
    ("answers", "status", "arrivals_s"),
    [
        pytest.param([GREEN], 200, [0], id="no-limit"),
        pytest.param([limited("2"), GREEN], 200, [0, 2], id="a-wait-that-fits"),
        pytest.param([limited("3"), limited("4"), GREEN], 200, [0, 3, 7], id="two-that-fit"),
        pytest.param([limited("4")], 429, [0, 4, 8], id="as-often-as-fits"),
        pytest.param([limited("10")], 429, [0], id="one-that-does-not"),
        pytest.param([limited("9.4"), GREEN], 200, [0, 9.4], id="one-that-just-fits"),
        pytest.param([limited("9.6"), GREEN], 429, [0], id="no-time-for-an-answer"),
        pytest.param([limited(), GREEN], 429, [0], id="no-time-is-told"),
        pytest.param([limited("2"), limited(), GREEN], 429, [0, 2], id="no-time-is-told-any-more"),
        pytest.param([limited("0"), GREEN], 200, [0, SHORTEST_S], id="never-at-once"),
        pytest.param([limited("2", status=503), GREEN], 200, [0, 2], id="unavailable-for-a-time"),
        pytest.param([limited(status=503), GREEN], 503, [0], id="unavailable"),
        pytest.param(
            [limited(RateLimit_Remaining="0", RateLimit_Reset="6"), GREEN],
            *(200, [0, 6]),
            id="until-the-reset",
        ),
    ],
)
def test_a_request_waits_as_far_as_its_time_goes(
    answers: list[HttpResponse], status: int, arrivals_s: list[float]
) -> None:
    """Ten seconds; what comes back is an answer of the vendor, and at once if there is no hope."""

    @in_virtual_time
    async def story() -> None:
        gateway = Gateway(Vendor([*answers]))
        assert await gateway.send() == status
        assert gateway.vendor.arrivals_s == arrivals_s
        assert now_s() == arrivals_s[-1]

    story()


@in_virtual_time
async def test_the_time_for_the_answer_gets_shorter_by_the_wait() -> None:
    """Waiting is no way to get more time than the provider has."""
    gateway = Gateway(Vendor([limited("8"), GREEN], takes_s=1.5))
    with pytest.raises(ProviderUnreachable):
        await gateway.send()
    assert now_s() == 10


@in_virtual_time
async def test_no_wait_outlives_its_measurement() -> None:
    """A request with two minutes of its own, in a measurement that is given up after one."""
    gateway = Gateway(Vendor([limited("90")]))
    assert await gateway.send(timeout_s=120, longest_s=60) == 429
    assert now_s() == 0


@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        pytest.param(request(), [200], id="get"),
        pytest.param(request(method="POST", is_repeatable=True), [200], id="a-post-that-reads"),
        pytest.param(ORDER, [429], id="a-post"),
        pytest.param(request(method="PUT"), [429], id="a-put"),
    ],
)
def test_only_what_may_be_repeated_is(asked: HttpRequest, statuses: list[int]) -> None:
    """Whoever says 429 may have acted all the same."""

    @in_virtual_time
    async def story() -> None:
        gateway = Gateway(Vendor([limited("2"), GREEN]))
        assert [await gateway.send(asked)] == statuses
        assert len(gateway.vendor.requests) == (2 if statuses == [200] else 1)

    story()


@in_virtual_time
async def test_what_was_not_sent_yet_may_wait_whatever_it_is() -> None:
    """An order that comes while the vendor wants to hear nothing is given once, afterwards."""
    gateway = Gateway(Vendor([limited("2"), GREEN]))
    assert [await gateway.send(ORDER), await gateway.send(ORDER)] == [429, 200]
    assert gateway.vendor.arrivals_s == [0, 2]


@in_virtual_time
async def test_meanwhile_nobody_asks() -> None:
    """Who has no time gets what the vendor said, without a byte being sent."""
    gateway = Gateway(Vendor([limited("3600"), GREEN]))
    assert await gateway.send() == 429
    await asyncio.sleep(100)
    answer = await gateway.http().send(request("https://vendor/query?q=2"), timeout_s=10)
    assert answer == limited("3600")
    assert (gateway.vendor.arrivals_s, now_s()) == ([0], 100)


@in_virtual_time
async def test_no_vendor_is_silent_for_ever() -> None:
    """However long it wants to hear nothing: now and then it is asked."""
    gateway = Gateway(Vendor([limited("31536000"), GREEN]))
    assert await gateway.send() == 429
    await asyncio.sleep(LONGEST_S - 11)
    assert await gateway.send() == 429
    await asyncio.sleep(11)
    assert await gateway.send() == 200
    assert gateway.vendor.arrivals_s == [0, LONGEST_S]


async def herd(gateway: Gateway, *, timeout_s: float = 10) -> list[int]:
    """The statuses that twenty get who ask together."""
    return await asyncio.gather(*(gateway.send(timeout_s=timeout_s) for _ in range(20)))


@in_virtual_time
async def test_one_of_many_asks_first() -> None:
    """When the vendor answers one, the others follow at once."""
    gateway = Gateway(Vendor([limited("3"), GREEN], takes_s=0.5))
    await gateway.send(request(), timeout_s=0.6)
    assert await herd(gateway) == [200] * 20
    assert gateway.vendor.arrivals_s == [0, 3.5, *[4] * 19]


@in_virtual_time
async def test_one_of_many_is_refused_for_all() -> None:
    """The others wait for as long as it has to, however often that is."""
    gateway = Gateway(Vendor([limited("3")]))
    await gateway.send(timeout_s=1)
    assert await herd(gateway) == [429] * 20
    assert (gateway.vendor.arrivals_s, now_s()) == ([0, 3, 6, 9], 9)


@in_virtual_time
async def test_of_many_who_were_refused_together_one_asks_again() -> None:
    """They had all been sent before anybody knew."""
    gateway = Gateway(Vendor([limited("3")] * 20 + [GREEN], takes_s=0.5))
    assert await herd(gateway) == [200] * 20
    assert gateway.vendor.arrivals_s == [*[0] * 20, 3.5, *[4] * 19]


@in_virtual_time
async def test_who_cannot_wait_for_the_first_leaves() -> None:
    """The vendor takes its time for the first answer; the others get what it said before."""
    gateway = Gateway(Vendor([limited("3"), GREEN]))
    await gateway.send(timeout_s=1)
    gateway.vendor.takes_s = 5
    patient = asyncio.create_task(gateway.send(timeout_s=30))
    assert await herd(gateway, timeout_s=6) == [429] * 20
    assert now_s() == 5.5
    assert (await patient, gateway.vendor.arrivals_s) == (200, [0, 3])


@in_virtual_time
async def test_who_comes_while_the_first_asks_waits_as_well() -> None:
    """The silence is over by the clock, but nobody knows yet whether the vendor agrees."""
    gateway = Gateway(Vendor([limited("3"), GREEN]))
    await gateway.send(timeout_s=1)
    gateway.vendor.takes_s = 2
    first = asyncio.create_task(gateway.send())
    await asyncio.sleep(4)
    assert await gateway.send() == 200
    assert (await first, gateway.vendor.arrivals_s) == (200, [0, 3, 5])


@in_virtual_time
async def test_the_next_one_asks_if_the_first_leaves() -> None:
    """Whether it slept or had asked already."""
    gateway = Gateway(Vendor([limited("3"), GREEN], takes_s=1))
    await gateway.send(timeout_s=2)
    sleeper, asker, last = (asyncio.create_task(gateway.send(timeout_s=30)) for _ in range(3))
    await asyncio.sleep(1)
    sleeper.cancel()
    await asyncio.sleep(2.5)
    asker.cancel()
    assert await last == 200
    assert gateway.vendor.arrivals_s == [0, 4, 4.5]
    assert sleeper.cancelled()
    assert asker.cancelled()


@in_virtual_time
async def test_a_vendor_that_is_gone_wants_nothing() -> None:
    """Its silence is over; the others need not find out one after the other."""
    gateway = Gateway(Vendor([limited("3"), GONE, GREEN], takes_s=0.5))
    await gateway.send(timeout_s=2)
    tasks = [asyncio.create_task(gateway.send()) for _ in range(3)]
    with pytest.raises(ProviderUnreachable):
        await tasks[0]
    assert await asyncio.gather(*tasks[1:]) == [200, 200]
    assert gateway.vendor.arrivals_s == [0, 3.5, 4, 4]


@in_virtual_time
async def test_a_silence_may_become_longer() -> None:
    """By an answer to what was under way already; who waits already waits longer, or gives up."""
    gateway = Gateway(Vendor([limited("3"), limited("8"), GREEN], takes_s=1))
    first = asyncio.create_task(gateway.send(ORDER))
    await asyncio.sleep(0)
    gateway.vendor.takes_s = 2
    second = asyncio.create_task(gateway.send(ORDER))
    await first
    hasty, patient = (asyncio.create_task(gateway.send(ORDER, timeout_s=each)) for each in (6, 20))
    assert await asyncio.gather(second, hasty, patient) == [429, 429, 200]
    assert gateway.vendor.arrivals_s == [0, 0, 10]


@in_virtual_time
async def test_an_answer_of_its_own_comes_back_whole() -> None:
    """What is kept for others is shorter."""
    long = replace(limited("3600"), body=b"x" * (MAX_BODY_BYTES + 1))
    http = Gateway(Vendor([long])).http()
    own, remembered = [await http.send(request(), timeout_s=10) for _ in range(2)]
    assert own == long
    assert remembered == replace(long, body=b"x" * MAX_BODY_BYTES)


SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20231114/eu/aps/aws4_request, SignedHeaders=host;x, "
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("first", "second", "is_one_kind"),
    [
        pytest.param(request("https://v/q?a=1"), request("https://v/q?a=2"), True, id="query"),
        pytest.param(request("https://v/q"), request("https://v/r"), False, id="path"),
        pytest.param(request("https://v/q"), request("http://v/q"), False, id="scheme"),
        pytest.param(request("https://v/q"), request("https://v:8443/q"), False, id="port"),
        pytest.param(request("https://a:b@v/q"), request("https://a:c@v/q"), False, id="password"),
        pytest.param(request(), request(method="HEAD"), False, id="method"),
        pytest.param(
            request(headers={"X-Key": "a"}), request(headers={"X-Key": "b"}), False, id="header"
        ),
        pytest.param(
            request("https://v/q?api_key=a&x=1"),
            request("https://v/q?x=2&api_key=b"),
            *(False,),
            id="key-in-the-query",
        ),
        pytest.param(
            request(method="POST", headers=FORM, body=b"query=up&time=1"),
            request(method="POST", headers=FORM, body=b"query=up&time=2"),
            *(True,),
            id="form",
        ),
        pytest.param(
            request(method="POST", headers=FORM, body=b"client_secret=a"),
            request(method="POST", headers=FORM, body=b"client_secret=b"),
            *(False,),
            id="secret-in-a-form",
        ),
        pytest.param(
            request(headers={"X-Amz-Date": "1", "Authorization": f"{SIGNED}Signature=a"}),
            request(headers={"X-Amz-Date": "2", "Authorization": f"{SIGNED}Signature=b"}),
            *(True,),
            id="signature",
        ),
    ],
)
def test_a_silence_holds_for_one_kind_of_request(
    first: HttpRequest,
    second: HttpRequest,
    is_one_kind: bool,  # noqa: FBT001 - a column
) -> None:
    """The same place with the same credentials; what is asked there does not matter."""

    @in_virtual_time
    async def story() -> None:
        gateway = Gateway(Vendor([limited("3600"), GREEN]))
        assert await gateway.send(first) == 429
        assert await gateway.send(second) == (429 if is_one_kind else 200)

    story()


@in_virtual_time
async def test_answers_are_told_of_by_the_name_of_their_credentials() -> None:
    """What remains, and each refusal; not what was repeated without asking."""
    quota = {"X_RateLimit_Remaining": "0", "X_RateLimit_Limit": "9"}
    gateway = Gateway(Vendor([limited("20", **quota), limited("5", status=503), limited()]))
    http = gateway.http("datadog", "team-a")
    for _ in range(3):
        await http.send(request(), timeout_s=10)
    assert gateway.observed.quotas == [("datadog", "team-a", 0, 9)]
    assert gateway.observed.refusals == [("datadog", "team-a")]
    for place in ("https://v/1", "https://v/2"):
        await gateway.http().send(request(place, method="POST"), timeout_s=10)
    assert gateway.observed.refusals == [("datadog", "team-a"), ("web", ""), ("web", "")]
