"""Notifications: to a real receiver, past its troubles, once for all replicas."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from backends import Backend, Play, Recorded, backend
from redis_server import RedisServer
from running import Service, service, template, until, web_metric

from gateway.notifications import courier, notifier

KEY = b"a key of the receiver"
GREEN = Play('"green"')
RED = Play('"red"')
CONDITION = 'result == "green"'


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(courier, "POLL_S", 0.05)
    monkeypatch.setattr(notifier, "QUIET_S", 0.0)


def receiver(tmp_path: Path, url: str, **fields: object) -> dict[str, object]:
    """A notification that is signed."""
    key = tmp_path / "key"
    key.write_text("whsec_" + base64.b64encode(KEY).decode())
    return {"name": "hook", "url": url, "signingFrom": {"file": key}, **fields}


def event_of(request: Recorded) -> dict[str, Any]:
    """The event of a request whose signature is right, as a receiver would check it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{request.body}"
    digest = base64.b64encode(hmac.new(KEY, signed.encode(), hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 30
    assert (request.method, headers["content-type"]) == ("POST", "application/cloudevents+json")
    event: dict[str, Any] = json.loads(request.body)
    assert event["id"] == headers["webhook-id"]
    return event


async def ask(gateway: Service, url: str) -> str:
    """A phase, measured now."""
    reply = await gateway.post("/v1/verdict?maxAge=0s", template(web_metric(url, CONDITION)))
    return str(reply.body["phase"])


async def told(hook: Backend, number: int) -> list[dict[str, Any]]:
    """All events, once there are as many."""
    await until(lambda: len(hook.requests) >= number)
    return [event_of(each) for each in hook.requests]


def counted(gateway: Service, outcome: str, name: str = "hook") -> float:
    """How many notices came to that."""
    value = gateway.gateway.telemetry.registry.get_sample_value(
        "analysis_gateway_notifications_total", {"notification": name, "outcome": outcome}
    )
    return value or 0.0


async def test_a_verdict_is_told_when_it_changes(tmp_path: Path) -> None:
    """Not when it stays, and a first success is no news."""
    plays = [GREEN, RED, RED, GREEN, GREEN, RED]
    async with backend(*plays) as upstream, backend(Play()) as hook:
        notifications = [receiver(tmp_path, hook.url)]
        async with service(tmp_path / "s", notifications=notifications) as gateway:
            phases = [await ask(gateway, upstream.url) for _ in plays]
            events = await told(hook, 3)
            await until(lambda: counted(gateway, "delivered") == 3)
    assert phases == ["Successful", "Failed", "Failed", "Successful", "Successful", "Failed"]
    by_time = sorted(events, key=lambda event: event["time"])
    assert [(each["data"]["previousPhase"], each["data"]["phase"]) for each in by_time] == [
        (None, "Failed"),
        ("Failed", "Successful"),
        ("Successful", "Failed"),
    ]
    assert by_time[0]["type"] == "analysis-gateway.verdict.changed"
    assert by_time[0]["data"]["reason"] == 'm: "red" does not satisfy result == "green"'


async def test_the_end_of_a_run_is_told(tmp_path: Path) -> None:
    """With the run's id, and why."""
    async with backend(RED) as upstream, backend(Play()) as hook:
        notifications = [receiver(tmp_path, hook.url, events=["run"])]
        async with service(tmp_path / "s", notifications=notifications) as gateway:
            body = template(web_metric(upstream.url, CONDITION))
            started = await gateway.post("/v1/runs", body)
            run_id = started.body["metadata"]["uid"]
            (event,) = await told(hook, 1)
    assert (event["id"], event["type"]) == (f"run-{run_id}", "analysis-gateway.run.ended")
    assert event["data"]["run"] == run_id
    assert event["data"]["reason"] == (
        'm: "red" does not satisfy result == "green"; 1 of 1 failed, limit 0'
    )


async def test_a_run_is_told_as_its_verdict_tells_it(tmp_path: Path) -> None:
    """Who was stopped has not passed; who counts nothing has, whatever was measured."""
    async with backend(RED) as red, backend(GREEN) as green, backend(Play()) as hook:
        notifications = [receiver(tmp_path, hook.url, events=["run"])]
        async with service(tmp_path / "s", notifications=notifications) as gateway:
            body = template(web_metric(green.url, CONDITION, interval="1h"))
            stopped = (await gateway.post("/v1/runs", body)).headers["Location"]
            await gateway.send("POST", f"{stopped}/terminate")
            body = template(web_metric(red.url, CONDITION))
            dry = (await gateway.post("/v1/runs?dryRun=true", body)).headers["Location"]
            events = {event["id"]: event["data"] for event in await told(hook, 2)}
            verdicts = [(await gateway.get(f"{each}/verdict")).body for each in (stopped, dry)]
    found = [(each["phase"], each["ok"], each["reason"]) for each in events.values()]
    assert sorted(found) == sorted((each["phase"], each["ok"], each["reason"]) for each in verdicts)
    assert [(each["phase"], each["ok"]) for each in verdicts] == [
        ("Successful", False),
        ("Successful", True),
    ]
    assert verdicts[1]["reason"].startswith("dry run only, not counted: m Failed")


async def test_who_brings_a_template_changes_nothing_of_one_that_is_stored(tmp_path: Path) -> None:
    """Whatever name it gives it."""
    (tmp_path / "templates").mkdir()
    path = "/v1/namespaces/default/analysistemplates/t/verdict?maxAge=0s"
    async with backend(RED, RED, GREEN) as upstream, backend(GREEN) as other, backend() as hook:
        stored = template(web_metric(upstream.url, CONDITION))
        (tmp_path / "templates" / "t.yaml").write_text(json.dumps(stored))
        notifications = [receiver(tmp_path, hook.url)]
        async with service(
            tmp_path / "s", templates=tmp_path / "templates", notifications=notifications
        ) as gateway:
            brought = template(web_metric(other.url, CONDITION))
            replies = [
                await gateway.get(path),
                await gateway.post("/v1/verdict?maxAge=0s", brought),
                await gateway.get(path),
                await gateway.get(path),
            ]
            events = await told(hook, 2)
    phases = [each.body["phase"] for each in replies]
    assert phases == ["Failed", "Successful", "Failed", "Successful"]
    by_time = sorted(events, key=lambda event: event["time"])
    assert [each["data"]["phase"] for each in by_time] == ["Failed", "Successful"]
    assert by_time[0]["data"]["templates"] == by_time[1]["data"]["templates"]


async def test_one_receiver_that_is_down_keeps_nothing_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many it is to get."""
    monkeypatch.setattr(courier, "MAX_IN_HAND", 2)
    plays = [RED, GREEN, RED, GREEN]
    async with (
        backend(*plays) as upstream,
        backend(Play(status=500)) as down,
        backend() as hook,
    ):
        notifications = [
            receiver(tmp_path, down.url, name="down"),
            receiver(tmp_path, hook.url),
        ]
        async with service(tmp_path / "s", notifications=notifications) as gateway:
            for _ in plays:
                await ask(gateway, upstream.url)
            await told(hook, len(plays))
            assert counted(gateway, "delivered", "down") == 0


@pytest.mark.parametrize(
    "troubles",
    [
        pytest.param([Play(status=500), Play(status=503)], id="errors"),
        pytest.param([Play(delay_s=1.0)], id="a-receiver-that-is-slow"),
        pytest.param([Play(status=302, headers={"Location": "/elsewhere"})], id="a-redirect"),
    ],
)
async def test_a_receiver_in_trouble_gets_it_later(tmp_path: Path, troubles: list[Play]) -> None:
    """The same notice again, and nobody who asks for a verdict waits for it."""
    async with backend(RED) as upstream, backend(*troubles, Play()) as hook:
        notifications = [receiver(tmp_path, hook.url, timeout="300ms")]
        async with service(tmp_path / "s", notifications=notifications) as gateway:
            began_s = time.monotonic()
            assert await ask(gateway, upstream.url) == "Failed"
            assert time.monotonic() - began_s < 0.25
            events = await told(hook, len(troubles) + 1)
            await until(lambda: counted(gateway, "delivered") == 1)
            assert counted(gateway, "retried") == len(troubles)
    assert len({each["id"] for each in events}) == 1
    assert {each.target for each in hook.requests} == {"/"}


async def test_what_cannot_be_delivered_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And logged, without the URL, which is a secret."""
    caplog.set_level(logging.WARNING)
    (tmp_path / "url").write_text("http://127.0.0.1:1/services/T0/B0/very-secret-path\n")
    lost = {"name": "hook", "urlFrom": {"file": tmp_path / "url"}, "retryFor": "0s"}
    no_key = receiver(tmp_path, "http://127.0.0.1:1/", name="no-key", retryFor="0s")
    no_key["signingFrom"] = {"secret": "hooks/key"}
    async with (
        backend(RED) as upstream,
        service(tmp_path / "s", notifications=[lost, no_key]) as gateway,
    ):
        await ask(gateway, upstream.url)
        await until(lambda: counted(gateway, "dropped", "no-key") == 1)
        await until(lambda: counted(gateway, "dropped") == 1)
    reasons = {
        record.notification: record.reason  # type: ignore[attr-defined] # in extra
        for record in caplog.records
        if record.message == "a notification was dropped"
    }
    assert "connection refused" in reasons["hook"]
    assert reasons["no-key"] == 'secrets "hooks" not found'
    assert "very-secret-path" not in caplog.text + str(reasons)


async def test_slack_gets_what_it_understands(tmp_path: Path) -> None:
    """A text; no signature, which it would not check."""
    async with backend(RED) as upstream, backend(Play("ok")) as hook:
        (tmp_path / "url").write_text(f"{hook.url}/services/T0/B0/x\n")
        slack = {"name": "slack", "format": "slack", "urlFrom": {"file": tmp_path / "url"}}
        async with service(tmp_path / "s", notifications=[slack]) as gateway:
            await ask(gateway, upstream.url)
            await until(lambda: hook.requests)
    (request,) = hook.requests
    assert (request.target, list(json.loads(request.body))) == ("/services/T0/B0/x", ["text"])
    assert request.headers["Content-Type"] == "application/json"


async def test_replicas_tell_a_change_once(tmp_path: Path, redis_server: RedisServer) -> None:
    """Whoever sees it first."""
    url = redis_server.url.reveal()
    async with backend(RED) as upstream, backend(Play()) as hook:
        notifications = [receiver(tmp_path, hook.url)]
        async with (
            service(tmp_path / "1", redis=url, notifications=notifications) as first,
            service(tmp_path / "2", redis=url, notifications=notifications) as second,
        ):
            await asyncio.gather(
                *(ask(each, upstream.url) for each in (first, second) for _ in range(4))
            )
            await told(hook, 1)
            # What another one has told would follow at once.
            await asyncio.sleep(0.3)
            numbers = [counted(each, "delivered") for each in (first, second)]
    assert (len(hook.requests), sum(numbers)) == (1, 1)


async def test_what_was_not_delivered_survives_a_restart(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Another process takes it over, under the same id."""
    url = redis_server.url.reveal()
    async with backend(RED) as upstream, backend(Play(status=500)) as down, backend() as hook:
        before = [receiver(tmp_path, down.url)]
        async with service(tmp_path / "1", redis=url, notifications=before) as gateway:
            await ask(gateway, upstream.url)
            (first, *_) = await told(down, 1)
        after = [receiver(tmp_path, hook.url)]
        async with service(tmp_path / "2", redis=url, notifications=after):
            (second,) = await told(hook, 1)
    assert second["id"] == first["id"]


async def test_what_redis_cannot_take_yet_waits(tmp_path: Path, redis_server: RedisServer) -> None:
    """A verdict is given all the same."""
    url = redis_server.url.reveal()
    async with backend(RED) as upstream, backend() as hook:
        notifications = [receiver(tmp_path, hook.url)]
        async with service(tmp_path / "s", redis=url, notifications=notifications) as gateway:
            await asyncio.to_thread(redis_server.kill)
            assert await ask(gateway, upstream.url) == "Failed"
            assert hook.requests == []
            await asyncio.to_thread(redis_server.start)
            await told(hook, 1)


async def test_nothing_is_dropped_unseen(
    tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that is full counts what it does not take."""
    monkeypatch.setattr(notifier, "MAX_WAITING", 0)
    async with backend(RED) as upstream, backend() as hook:
        notifications = [receiver(tmp_path, hook.url)]
        url = redis_server.url.reveal()
        async with service(tmp_path / "s", redis=url, notifications=notifications) as gateway:
            await ask(gateway, upstream.url)
            assert counted(gateway, "dropped") == 1
    assert hook.requests == []
