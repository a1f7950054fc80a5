"""Signing in with a browser: a token for a cookie, which is worth no more than the token."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from browsing import Looking, looking
from guarded import ALICE, BOB, access, bearer, put_templates, rule, write_tokens
from playwright.async_api import Browser
from redis_server import RedisServer
from running import Reply, Service, service

from gateway.access.sessions import COOKIE, MAX_OF_CALLER, MAX_TOKEN_CHARS, SESSION_S
from gateway.web.rendering import POLICY
from gateway.web.sign_in import MAX_FORM_BYTES

pytestmark = pytest.mark.asyncio(loop_scope="session")

OURS = {"Origin": "{url}", "Content-Type": "application/x-www-form-urlencoded"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: Any) -> AsyncIterator[Service]:
    """A gateway that knows alice, who may do everything in shop, and bob, who may nothing."""
    folder: Path = tmp_path_factory.mktemp("house")
    rights = rule("verdict", "run", "inline", namespaces=["shop"])
    async with service(
        folder / "state",
        access=access(folder / "access", rights),
        templates=str(put_templates(folder / "templates")),
    ) as gateway:
        yield gateway


async def send(house: Service, method: str, path: str, **headers: str) -> Reply:
    """A request that follows no redirect."""
    named = {"Accept": "text/html", **headers}
    return await house.send(method, path, headers=named, allow_redirects=False)


async def sign_in(house: Service, token: str = ALICE, query: str = "", **headers: str) -> Reply:
    """What the form sends."""
    named = {**OURS, "Origin": house.url, **headers}
    return await house.send(
        "POST",
        f"/sign-in?{query}",
        data=f"token={token}".encode(),
        headers=named,
        allow_redirects=False,
    )


async def cookie_of(house: Service, token: str = ALICE) -> str:
    """The cookie of a new session, as it is sent back."""
    reply = await sign_in(house, token)
    assert reply.status == 303, reply.text
    house.session.cookie_jar.clear()
    return reply.headers["Set-Cookie"].partition(";")[0]


async def test_somebody_signs_in_looks_around_and_signs_out(
    browser: Browser, house: Service
) -> None:
    """Who wanted a page gets it after signing in; what is left after signing out opens nothing."""
    async with looking(browser) as seen:
        await seen.at(f"{house.url}/templates")
        assert seen.page.url.startswith(f"{house.url}/sign-in?next=%2Ftemplates")
        await seen.page.get_by_label("Token").fill("no-token")
        await seen.page.get_by_role("button", name="Sign in").click()
        assert "not one that this gateway knows" in await seen.text("[role=alert]")
        await seen.page.get_by_label("Token").fill(ALICE)
        await seen.page.get_by_role("button", name="Sign in").click()
        await seen.page.wait_for_url(f"{house.url}/templates")
        assert "rate" in await seen.text()
        assert "token:alice" in await seen.text("header")
        assert await seen.page.get_by_role("link", name="Upstreams").count() == 0
        cookie = next(each for each in await seen.context.cookies() if each["name"] == COOKIE)
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert ALICE not in cookie["value"]
        await seen.at(f"{house.url}/playground")
        await seen.until("document.querySelector('#findings .phase')")
        await seen.page.get_by_role("button", name="Sign out").click()
        await seen.page.wait_for_url(f"{house.url}/sign-in*")
        held = f"{COOKIE}={cookie['value']}"
        assert (await send(house, "GET", "/v1/templates", Cookie=held)).status == 401
        policy = [each for each in seen.complaints if "policy" in each]
        assert policy == []


async def test_a_link_from_another_site_leads_there_after_all(
    browser: Browser, house: Service
) -> None:
    """The cookie does not come along with it, but with what the page for signing in asks itself."""
    async with looking(browser) as seen:
        await seen.at(f"{house.url}/sign-in")
        await seen.page.get_by_label("Token").fill(ALICE)
        await seen.page.get_by_role("button", name="Sign in").click()
        await seen.page.wait_for_url(f"{house.url}/")
        elsewhere = house.url.replace("127.0.0.1", "localhost")
        await seen.page.goto(f"{elsewhere}/static/0/page.css")
        await seen.page.evaluate(f"location.href = '{house.url}/templates'")
        await seen.page.wait_for_url(f"{house.url}/templates")


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in?next=%ed%a0%80",
        "/templates/%ed%a0%80/%ff",
        "/clustertemplates/%00",
        "/playground?template=%ed%a0%80/%ff",
        "/playground?template=//",
        "/runs/%2e%2e",
        "/?phase=%ff",
        "/?namespace=%ff&label=a%3Db",
        "/?continue=%ed%a0%80",
        "/runs/0?%ff=%ff",
        "/static/x/..%2f..%2fapp.py",
        "/static/%00/%ed%a0%80",
    ],
)
async def test_an_odd_address_breaks_nothing(house: Service, path: str) -> None:
    """There is no such page, or it is as if nothing odd had been said."""
    for headers in ({}, bearer(ALICE)):
        assert (await send(house, "GET", path, **headers)).status in {200, 303, 400, 404}
        assert (await sign_in(house, "wrong", path.partition("?")[2])).status == 401


PAGES = ("/", "/runs/0", "/templates", "/templates/shop/rate", "/clustertemplates/rate")
OTHER_PAGES = ("/playground", "/upstreams", "/runs/0/manifest", "/runs/0/run.yaml")


@pytest.mark.parametrize("path", [*PAGES, *OTHER_PAGES])
async def test_no_page_is_for_who_is_not_known(house: Service, path: str) -> None:
    """All lead to where one signs in, and back from there; a wrong cookie is none."""
    for headers in ({}, {"Cookie": f"{COOKIE}=wrong"}, {"Authorization": "Bearer wrong"}):
        reply = await send(house, "GET", path, **headers)
        where = path.replace("/", "%2F")
        assert (reply.status, reply.headers["Location"]) == (303, f"/sign-in?next={where}")
        assert reply.text == ""
        of_program = await send(house, "GET", path, **{"Accept": "*/*", **headers})
        assert (of_program.status, of_program.body["ok"]) == (401, False)


async def test_what_nobody_needs_a_credential_for_tells_nothing(house: Service) -> None:
    """The page for signing in, and the files it is made of; paths that are none are as the rest."""
    page = await send(house, "GET", "/sign-in")
    file = re.search(r'"(/static/[^"]+\.css)"', page.text)
    assert file is not None
    assert page.status == 200
    assert "shop" not in page.text
    assert (await send(house, "GET", file[1])).status == 200
    assert (await send(house, "GET", "/nothing")).status == 401


async def test_every_page_says_what_it_may_do(house: Service) -> None:
    """Nothing but scripts and styles of this very gateway, in no frame, kept nowhere."""
    for path, headers in (
        ("/sign-in", {}),
        ("/", bearer(ALICE)),
        ("/playground", bearer(ALICE)),
        ("/templates/shop/rate", bearer(ALICE)),
        ("/templates/shop/none", bearer(ALICE)),
    ):
        reply = await send(house, "GET", path, **headers)
        assert reply.headers["Content-Security-Policy"] == POLICY
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in reply.headers
        assert "style=" not in reply.text
        assert re.search(r"<script(?! (type=\"module\" |defer )?src=)", reply.text) is None


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        pytest.param(ALICE, "/templates/shop/rate", 200, id="what-she-may-see"),
        pytest.param(ALICE, "/templates/bank/rate", 404, id="what-she-may-not-see"),
        pytest.param(ALICE, "/templates/shop/none", 404, id="what-is-not-there"),
        pytest.param(ALICE, "/runs/0", 404, id="no-run"),
        pytest.param(ALICE, "/upstreams", 403, id="what-is-for-admins"),
        pytest.param(ALICE, "/?phase=Odd", 400, id="a-wrong-filter"),
        pytest.param(BOB, "/", 403, id="who-may-nothing"),
        pytest.param(BOB, "/templates", 403, id="who-may-nothing-of-templates"),
        pytest.param(BOB, "/playground", 403, id="who-may-nothing-of-his-own"),
    ],
)
async def test_a_session_may_what_its_token_may(
    house: Service, token: str, path: str, status: int
) -> None:
    """The same as the token itself; a refusal is a page."""
    cookie = await cookie_of(house, token)
    for headers in ({"Cookie": cookie}, bearer(token)):
        reply = await send(house, "GET", path, **headers)
        assert (reply.status, reply.headers["Content-Type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": "{url}"}, 200, id="our-own-page"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, 403, id="another-port"),
        pytest.param({"Origin": "null"}, 403, id="a-page-without-an-origin"),
        pytest.param({}, 403, id="nobody-says-which-page"),
        pytest.param({"Origin": "{url}", "Sec-Fetch-Site": "same-site"}, 401, id="a-sister-site"),
        pytest.param({"Origin": "{url}", "Sec-Fetch-Site": "cross-site"}, 401, id="another-site"),
    ],
)
async def test_a_cookie_changes_things_for_our_own_pages_only(
    house: Service, headers: dict[str, str], status: int
) -> None:
    """For all others it is none; a token in the header does not depend on pages."""
    cookie = await cookie_of(house)
    named = {name: text.format(url=house.url) for name, text in headers.items()}
    named["Content-Type"] = "application/json"
    body = '{"condition": "true", "result": 1}'
    sent = {"data": body, "allow_redirects": False}
    reply = await house.send("POST", "/v1/condition", headers={**named, "Cookie": cookie}, **sent)
    assert reply.status == status
    bare = {"Content-Type": "application/json", **bearer(ALICE)}
    assert (await house.send("POST", "/v1/condition", headers=bare, **sent)).status == 200


async def test_a_page_of_a_sister_site_reads_nothing_with_the_cookie(house: Service) -> None:
    """Pages of other ports and names have the cookie sent; what they ask for, nobody asks for."""
    cookie = await cookie_of(house)
    for site, status in (("same-origin", 200), ("none", 200), ("same-site", 401)):
        headers = {"Cookie": cookie, "Sec-Fetch-Site": site}
        assert (await send(house, "GET", "/v1/templates", **headers)).status == status


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        pytest.param("/runs/1?a=b%26c", "/runs/1?a=b%26c", id="a-page"),
        pytest.param("", "/", id="nothing"),
        pytest.param("https://evil.example/", "/", id="another-host"),
        pytest.param("//evil.example/", "/", id="another-host-in-short"),
        pytest.param("/\\evil.example/", "/", id="another-host-for-some-browsers"),
        pytest.param("/a\r\nSet-Cookie: x=y", "/", id="another-header"),
        pytest.param("javascript:alert(1)", "/", id="a-script"),
    ],
)
async def test_signing_in_leads_nowhere_else(house: Service, wanted: str, led_to: str) -> None:
    """A path of ours, or the start."""
    reply = await sign_in(house, query=f"next={quote(wanted, safe='')}")
    house.session.cookie_jar.clear()
    assert (reply.status, reply.headers["Location"]) == (303, led_to)


@pytest.mark.parametrize(
    ("origin", "is_secure"),
    [
        pytest.param("{url}", False, id="plain"),
        pytest.param("https://{host}", True, id="a-proxy-ends-tls"),
    ],
)
async def test_the_cookie_is_for_browsers_alone(
    house: Service, origin: str, *, is_secure: bool
) -> None:
    """No script reads it, no other site sends it; over TLS it does not leave without."""
    url = house.url
    said = origin.format(url=url, host=url.partition("://")[2])
    reply = await sign_in(house, Origin=said)
    house.session.cookie_jar.clear()
    kept = reply.headers["Set-Cookie"]
    for part in ("HttpOnly", "Path=/", "SameSite=Strict", f"Max-Age={SESSION_S}"):
        assert part in kept
    assert ("Secure" in kept) is is_secure


async def test_another_site_signs_nobody_in_or_out(house: Service) -> None:
    """Neither with a token of its own."""
    cookie = await cookie_of(house)
    other = {"Origin": "https://evil.example"}
    assert (await sign_in(house, **other)).status == 403
    reply = await send(house, "POST", "/sign-out", Cookie=cookie, **other)
    assert reply.status == 403
    assert (await send(house, "GET", "/v1/templates", Cookie=cookie)).status == 200


@pytest.mark.parametrize(
    ("token", "said"),
    [
        pytest.param("", "must be Bearer TOKEN", id="nothing"),
        pytest.param("a b", "must be Bearer TOKEN", id="two-words"),
        pytest.param("x" * 8_001, "8,000 characters", id="too-long"),
        pytest.param("wrong", "not one that this gateway knows", id="unknown"),
        pytest.param("%00%ff", "must be Bearer TOKEN", id="no-text"),
    ],
)
async def test_a_token_that_is_none_signs_nobody_in(house: Service, token: str, said: str) -> None:
    """The page says why, does not repeat it, and there is no cookie."""
    reply = await sign_in(house, token)
    assert reply.status == 401
    assert said in reply.text
    assert "Set-Cookie" not in reply.headers
    assert not token or token not in reply.text


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        pytest.param(b"token=" + b"x" * MAX_FORM_BYTES, 413, "32768 bytes", id="too-large"),
        pytest.param(b"a=&" * 10 + b"token=x", 400, "10 fields", id="too-many-fields"),
        pytest.param(b"a=&" * 9 + b"token=x", 401, "not one that", id="as-many-as-may-be"),
    ],
)
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_form_that_is_too_much_is_not_read(
    house: Service,
    form: bytes,
    status: int,
    said: str,
    is_chunked: bool,  # noqa: FBT001 - from a table
) -> None:
    """Nobody needs a credential to send one."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(form), 10_000):
            yield form[start : start + 10_000]

    headers = {**OURS, "Origin": house.url}
    data = pieces() if is_chunked else form
    reply = await house.send("POST", "/sign-in", data=data, headers=headers)
    assert reply.status == status
    assert said in reply.text


async def test_the_longest_token_fits_into_the_form(house: Service) -> None:
    """However it is written."""
    reply = await sign_in(house, "%78" * MAX_TOKEN_CHARS)
    assert reply.status == 401
    assert "not one that this gateway knows" in reply.text


async def test_a_token_that_is_withdrawn_ends_its_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session is asked for its token with every request."""
    monkeypatch.setattr("gateway.access.kept_file.POLL_S", 0.02)
    chosen = access(tmp_path / "access", rule("verdict"))
    async with service(tmp_path / "state", access=chosen) as gateway:
        cookie = await cookie_of(gateway)
        assert (await send(gateway, "GET", "/v1/templates", Cookie=cookie)).status == 200
        write_tokens(tmp_path / "access", bob=BOB)
        reply = await send(gateway, "GET", "/v1/templates", Cookie=cookie)
        for _ in range(200):
            if reply.status == 401:
                break
            reply = await send(gateway, "GET", "/v1/templates", Cookie=cookie)
        assert reply.status == 401


async def test_while_redis_is_away_nobody_is_taken_for_somebody_else(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    """Who has signed in is told to wait, as is who wants to; a token goes on to be one."""
    chosen = access(tmp_path / "access", rule("verdict"))
    url = redis_server.url.reveal()
    async with service(tmp_path / "state", access=chosen, redis=url) as gateway:
        cookie = await cookie_of(gateway)
        redis_server.kill()
        replies = (
            await send(gateway, "GET", "/templates", Cookie=cookie),
            await send(gateway, "POST", "/sign-out", Cookie=cookie, Origin=gateway.url),
            await sign_in(gateway),
        )
        assert [each.status for each in replies] == [503, 503, 503]
        assert all("Redis" in each.text and "Set-Cookie" not in each.headers for each in replies)
        assert (await send(gateway, "GET", "/templates", **bearer(ALICE))).status == 200


async def test_nobody_has_sessions_without_end(house: Service) -> None:
    """The oldest of a caller's ends when one too many begins; others have theirs."""
    first = await cookie_of(house)
    others = [await cookie_of(house) for _ in range(MAX_OF_CALLER)]
    assert (await send(house, "GET", "/v1/templates", Cookie=first)).status == 401
    for each in others:
        assert (await send(house, "GET", "/v1/templates", Cookie=each)).status == 200


async def test_the_page_for_signing_in_is_for_everybody(browser: Browser, house: Service) -> None:
    """By day and by night, on a phone, and with a word about a token that is none."""
    async with looking(browser) as seen:
        await seen.page.set_viewport_size({"width": 375, "height": 700})
        await seen.at(f"{house.url}/sign-in")
        await _check_reach(seen)
        await seen.page.get_by_label("Token").fill("no-token")
        await seen.page.get_by_role("button", name="Sign in").click()
        assert "not one that this gateway knows" in await seen.text("[role=alert]")
        await _check_reach(seen)


async def _check_reach(seen: Looking) -> None:
    for scheme in ("light", "dark"):
        await seen.page.emulate_media(color_scheme=scheme)
        assert await seen.barriers() == []
    assert await seen.page.evaluate("document.documentElement.scrollWidth") == 375


async def test_an_open_gateway_asks_nobody_to_sign_in(tmp_path: Path) -> None:
    """Who comes to do so is led on, and no token is kept."""
    async with service(tmp_path) as gateway:
        for reply in (await send(gateway, "GET", "/sign-in"), await sign_in(gateway)):
            assert (reply.status, reply.headers["Location"]) == (303, "/")
            assert "Set-Cookie" not in reply.headers
