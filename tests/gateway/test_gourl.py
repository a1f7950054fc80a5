"""URLs as Go reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstreams.gourl import Url, UrlInvalid, escape_path, parse_url, resolve, unsendable


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param(
            "HTTP://u%40:p%3A@H.example:80/a b/%2F?x y#end",
            Url("http", "H.example:80", "/a%20b//", "x y", username="u@", password="p:"),
            id="a-path-that-is-not-escaped-is-escaped-anew",
        ),
        pytest.param(
            "https://h/a%2Fb(1)?", Url("https", "h", "/a%2Fb(1)", ""), id="escapes-that-fit-stay"
        ),
        pytest.param(
            "http://user@h",
            Url("http", "h", "", None, username="user"),
            id="a-user-without-password",
        ),
        pytest.param(
            "prometheus:9090", Url("prometheus", "", "", None, "9090"), id="a-host-without-scheme"
        ),
        pytest.param("metrics", Url("", "", "metrics", None), id="a-relative-path"),
        pytest.param("///x", Url("", "", "///x", None), id="three-slashes-are-a-path"),
        pytest.param("http://[::1]:9/", Url("http", "[::1]:9", "/", None), id="an-ipv6-address"),
        pytest.param(
            "http://[fe80::1%25en0]/", Url("http", "[fe80::1%en0]", "/", None), id="an-ipv6-zone"
        ),
        pytest.param(
            "postgres://a:1,b:2/", Url("postgres", "a:1,b:2", "/", None), id="hosts-in-a-list"
        ),
        pytest.param("http://h:/", Url("http", "h", "/", None), id="an-empty-port-is-dropped"),
    ],
)
def test_a_url_comes_apart(text: str, url: Url) -> None:
    """Every part is decoded or kept as Go does it."""
    assert parse_url(text) == url


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param("http://h/\n", "net/url: invalid control character in URL", id="a-line-break"),
        pytest.param(":80", "missing protocol scheme", id="a-colon-first"),
        pytest.param(
            "1a:b", "first path segment in URL cannot contain colon", id="a-scheme-from-a-digit"
        ),
        pytest.param("http://a:b/", 'invalid port ":b" after host', id="a-port-of-letters"),
        pytest.param("http://h:1:2/", 'invalid port ":1:2" after host', id="two-ports"),
        pytest.param("http://a b/", 'invalid character " " in host name', id="a-blank-in-a-host"),
        pytest.param("http://h%41/", 'invalid URL escape "%41"', id="an-escaped-letter-in-a-host"),
        pytest.param("http://h/%zz", 'invalid URL escape "%zz"', id="a-bad-escape-in-a-path"),
        pytest.param("http://h%41 /", 'invalid URL escape "%41"', id="the-first-flaw-of-a-host"),
        pytest.param("http://%u:p@h/", 'invalid URL escape "%u"', id="a-bad-escape-in-a-user"),
        pytest.param("http://h/#%z", 'invalid URL escape "%z"', id="a-bad-escape-in-a-fragment"),
        pytest.param("http://u:%@h/", 'invalid URL escape "%"', id="a-bad-escape-in-a-password"),
        pytest.param("http://u ser@h/", "net/url: invalid userinfo", id="a-blank-in-a-user"),
        pytest.param("http://a[::1]/", "invalid IP-literal", id="a-bracket-inside-a-host"),
        pytest.param("http://[::1/", "missing ']' in host", id="a-bracket-that-stays-open"),
        pytest.param("http://[::1]x/", 'invalid port "x" after host', id="text-after-a-bracket"),
        pytest.param("http://[::g]/", "invalid host: Only hex", id="no-ipv6-address"),
    ],
)
def test_what_is_no_url_is_named(text: str, cause: str) -> None:
    """The whole text is shown with the reason."""
    with pytest.raises(UrlInvalid) as caught:
        parse_url(text)
    shown = text.replace("\n", "\\n")
    assert str(caught.value).startswith(f'parse "{shown}": {cause}')


@pytest.mark.parametrize(
    ("url", "text", "masked", "wire", "authorization"),
    [
        pytest.param(
            "http://u%40:p%3A@h/x?q",
            "http://u%40:p%3A@h/x?q",
            "http://u%40:***@h/x?q",
            "http://h/x?q",
            "Basic dUA6cDo=",
            id="a-user-with-a-password",
        ),
        pytest.param(
            "http://u@h/", "http://u@h/", "http://u@h/", "http://h/", "Basic dTo=", id="a-user"
        ),
        pytest.param("h:9090?q", "h:9090?q", "h:9090?q", "h:9090?q", "", id="no-host-at-all"),
        pytest.param("http://h/#x", "http://h/", "http://h/", "http://h/", "", id="nobody"),
    ],
)
def test_a_url_comes_together(
    url: str, text: str, masked: str, wire: str, authorization: str
) -> None:
    """Whole, as errors show it, and as it is sent."""
    parsed = parse_url(url)
    assert (parsed.text, parsed.masked, parsed.wire, parsed.authorization) == (
        text,
        masked,
        wire,
        authorization,
    )


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        pytest.param("http://h/a", "http://H:80/b", True, id="the-usual-port-may-be-left-out"),
        pytest.param("https://h:443/", "https://h/", True, id="of-https-as-well"),
        pytest.param("http://h/", "https://h/", False, id="another-scheme"),
        pytest.param("http://h/", "http://h:8080/", False, id="another-port"),
        pytest.param("http://h/", "http://sub.h/", False, id="a-subdomain"),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, is_same: bool) -> None:  # noqa: FBT001 - a table's column
    """Nothing less makes two URLs lead to the same server."""
    assert (parse_url(one).origin == parse_url(other).origin) is is_same


def test_a_fragment_is_shown_only_where_it_is_wrong() -> None:
    """It is no part of what is sent."""
    with pytest.raises(UrlInvalid, match=r'^parse "http://h:x": invalid port ":x" after host$'):
        parse_url("http://h:x#end")


def test_a_location_is_resolved() -> None:
    """Relative locations start from the URL that was asked."""
    assert resolve(parse_url("http://h/a/b?x"), "../c?y").wire == "http://h/c?y"


def test_a_path_is_escaped_whole() -> None:
    """Texts with lone surrogates, which no UTF-8 has, are escaped as a question mark."""
    assert escape_path("/a b\ud800") == "/a%20b%3F"


def test_credentials_stay_out_of_representations() -> None:
    """A URL in a traceback shows neither user nor password."""
    assert "secret" not in repr(parse_url("http://secret:secret@h/"))


@given(st.text() | st.from_regex(r"https?://[^/]*/.*"))
def test_any_text_is_a_url_or_is_named(text: str) -> None:
    """Nothing but UrlInvalid is raised, and what is parsed can be shown, sent or refused."""
    try:
        url = parse_url(text)
    except UrlInvalid as error:
        assert str(error).startswith("parse ")
        return
    assert isinstance(unsendable("GET", url) + url.wire + url.masked + url.text, str)
