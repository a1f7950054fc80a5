"""No request that brings its template gets the gateway to ask whom it must not."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from ears import ears
from egress_trial import Trial, answer, tried
from egress_tricks import EVERYWHERE, Trick
from running import service

GOOD = "127.0.0.2"
"""Whom it may ask: on loopback as all others, so that nothing but a rule tells them apart."""
VICTIMS = ("127.0.0.1", "127.255.255.254", "::1")


async def _trials(state: Path) -> dict[str, Trial]:
    async with ears([("127.0.0.1", 0)], partial(answer, GOOD)) as first:
        port = first.port
        places = [(host, port) for host in (*VICTIMS[1:], GOOD)]
        async with ears(places, partial(answer, GOOD)) as others:
            others.connections = first.connections
            rule = {"name": "good", "hosts": [GOOD], "ports": [port]}
            egress = {"inline": [rule], "inlineRedirects": "same-origin"}
            async with service(state, egress=egress) as gateway:
                values = {"port": port, "host": GOOD, "good": f"{GOOD}:{port}"}
                return {
                    trick.id: await tried(gateway.session, gateway.url, trick, first, **values)
                    for trick in EVERYWHERE
                }


@pytest.fixture(scope="module", name="trials")
def _all_trials(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Trial]:
    """All tricks, tried on one gateway."""
    return asyncio.run(_trials(tmp_path_factory.mktemp("state")))


@pytest.mark.parametrize("trick", [pytest.param(each, id=each.id) for each in EVERYWHERE])
def test_a_trick_is_refused_before_a_byte_is_sent(
    trick: Trick, trials: Mapping[str, Trial]
) -> None:
    """The measurement says why, and nobody was connected to who must not be."""
    trial = trials[trick.id]
    assert trial.phase == "Error"
    assert trick.says in trial.message
    assert {address for address, *_ in trial.heard} == ({GOOD} if trick.is_heard_by_good else set())


def test_there_are_many_tricks() -> None:
    """Each with a name of its own."""
    assert len({trick.id for trick in EVERYWHERE}) == len(EVERYWHERE) >= 60
