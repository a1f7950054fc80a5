"""Requests that use no connection, in virtual time."""

import asyncio
from collections.abc import Sequence

import pytest
from rate_limited_vendor import Vendor, request
from virtual_time import in_virtual_time, now_s

from gateway.errors import ProviderError
from gateway.upstreams.host_turns import HostTurns, TurnedHttp

FULL = (
    "no room for a request within 1s, its time limit: as many as may be are under way to its host"
    " (limits.connectionsPerHost)"
)


async def send(
    turns: HostTurns, vendor: Vendor, tenant: str, url: str, *, timeout_s: float = 99.0
) -> str:
    """When the answer came, or why none did."""
    http = TurnedHttp(vendor, turns, tenant)
    try:
        await http.send(request(url), timeout_s=timeout_s)
    except ProviderError as error:
        return str(error)
    return f"{tenant}@{now_s():g}"


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        pytest.param(
            ["a http://h/1", "a http://h/2", "a http://H/3", "b http://h/4"],
            ["a@2", "a@2", "a@4", "b@4"],
            id="one-host-in-turns",
        ),
        pytest.param(
            ["a http://h/1", "a http://h/2", "a http://i/3", "b https://h/4", "b http://h:1/4"],
            ["a@2", "a@2", "a@2", "b@2", "b@2"],
            id="others-are-others",
        ),
        pytest.param(["a ://", "a ://", "a ://"], ["a@2", "a@2", "a@2"], id="no-url"),
    ],
)
def test_who_is_answered_when(asks: Sequence[str], told: list[str]) -> None:
    """By a vendor that takes two seconds, two at once."""

    @in_virtual_time
    async def story() -> None:
        turns, vendor = HostTurns(2), Vendor(takes_s=2.0)
        sending = (send(turns, vendor, *each.split(" ")) for each in asks)
        assert sorted(await asyncio.gather(*sending)) == sorted(told)
        # Nobody is there, so nothing is kept of a host.
        assert turns._gates == {}

    story()


@in_virtual_time
async def test_who_has_no_turn_in_time_is_told() -> None:
    """And nothing is sent; later there is room again."""
    turns, vendor = HostTurns(1), Vendor(takes_s=2.0)
    first = asyncio.create_task(send(turns, vendor, "a", "http://h/"))
    await asyncio.sleep(0)
    assert await send(turns, vendor, "b", "http://h/", timeout_s=1.0) == FULL
    assert await first == "a@2"
    assert await send(turns, vendor, "b", "http://h/") == "b@4"
    assert len(vendor.requests) == 2
