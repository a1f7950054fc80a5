"""Ways to have a gateway ask whom it must not: spellings, names, redirects, and other fields.

``{port}`` is a port at which everybody listens whom it must not ask, ``{good}`` is host and port of
somebody whom it may, and ``{host}`` that host alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

SPELLING: Final = "must be an address such as 10.0.0.5, in this spelling"
NO_RULE: Final = "egress: no rule of egress.inline allows"
METADATA: Final = "is a metadata address, which no rule can allow"
LINK_LOCAL: Final = "is a link-local address, which no rule can allow"
THIS_MACHINE: Final = "is an address of no machine, so of this one, which no rule can allow"
MULTICAST: Final = "is a multicast address, which no rule can allow"
WRAPPED: Final = "is an address that wraps another one, which no rule can allow"
ZONE: Final = "an address with a zone cannot be reached from here"
NO_NAME: Final = "the host is neither an address nor a name that DNS could know"
ESCAPE: Final = "invalid URL escape"
CHARACTER: Final = "in host name"
CONTROL: Final = "invalid control character in URL"
SCHEME: Final = "unsupported protocol scheme"
NO_HOST: Final = "http: no Host in request URL"
USER: Final = "net/url: invalid userinfo"
ELSEWHERE: Final = "follows redirects to the same origin only"


@dataclass(frozen=True)
class Trick:
    """One of them."""

    id: str
    provider: Mapping[str, Any]
    says: str
    """A part of the refusal."""
    is_heard_by_good: bool = False
    """Whether somebody whom it may ask has to take part."""
    first: Mapping[str, Any] = field(default_factory=dict)
    """What is asked before, successfully."""

    def filled(self, provider: Mapping[str, Any], **values: object) -> Any:
        """A provider with its places filled in."""
        return _each(provider, lambda text: text.format(**values))


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _each(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def web(url: str, **fields: Any) -> dict[str, Any]:
    """A block that asks a URL."""
    return {"web": {"url": url, **fields}}


def _urls(says: str, **urls: str) -> list[Trick]:
    return [Trick(name.replace("_", "-"), web(url), says) for name, url in urls.items()]


LOOPBACK: Final = [
    *_urls(
        NO_RULE,
        plain="http://127.0.0.1:{port}/",
        last_of_loopback="http://127.255.255.254:{port}/",
        ipv6="http://[::1]:{port}/",
        ipv6_at_length="http://[0:0:0:0:0:0:0:1]:{port}/",
        ipv6_with_zeros="http://[::0001]:{port}/",
        mapped="http://[::ffff:127.0.0.1]:{port}/",
        mapped_in_hex="http://[::ffff:7f00:1]:{port}/",
        mapped_in_capitals="http://[::FFFF:7F00:0001]:{port}/",
        mapped_at_length="http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
        nat64="http://[64:ff9b::127.0.0.1]:{port}/",
        nat64_in_hex="http://[64:ff9b::7f00:1]:{port}/",
        localhost="http://localhost:{port}/",
        localhost_with_a_dot="http://localhost.:{port}/",
        localhost_in_capitals="http://LOCALHOST:{port}/",
        localhost_in_full_width="http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54:{port}/",
        localhost_with_a_soft_hyphen="http://local\u00adhost:{port}/",
        localhost_with_a_kelvin_like_sign="http://loca\u2113host:{port}/",
        below_localhost="http://metrics.localhost:{port}/",
        scheme_in_capitals="HTTP://127.0.0.1:{port}/",
        port_with_zeros="http://127.0.0.1:0000{port}/",
        https="https://127.0.0.1:{port}/",
    ),
    *_urls(
        SPELLING,
        decimal="http://2130706433:{port}/",
        hex="http://0x7f000001:{port}/",
        hex_in_capitals="http://0X7F000001:{port}/",
        hex_with_zeros="http://0x00000007f000001:{port}/",
        octal="http://017700000001:{port}/",
        octal_part="http://0177.0.0.1:{port}/",
        octal_part_with_zeros="http://0000177.0.0.1:{port}/",
        hex_part="http://0x7f.0.0.1:{port}/",
        hex_last="http://127.0.0.0x1:{port}/",
        two_parts="http://127.1:{port}/",
        two_parts_in_hex="http://0x7f.1:{port}/",
        two_parts_in_octal="http://0177.1:{port}/",
        three_parts="http://127.0.1:{port}/",
        leading_zeros="http://127.000.000.001:{port}/",
        trailing_dot="http://127.0.0.1.:{port}/",
        zero="http://0:{port}/",
        zero_in_hex="http://0x0:{port}/",
        many_zeros="http://00000000000:{port}/",
        full_width_digits="http://\uff11\uff12\uff17.0.0.\uff11:{port}/",
        full_width_dots="http://127\uff0e0\uff0e0\uff0e1:{port}/",
        ideographic_dots="http://127\u30020\u30020\u30021:{port}/",
        half_width_dots="http://127\uff610\uff610\uff611:{port}/",
        dot_leaders="http://127\u20240\u20240\u20241:{port}/",
        circled_digits="http://\u2460\u2461\u2466.0.0.\u2460:{port}/",
        bold_digits="http://\U0001d7cf\U0001d7d0\U0001d7d5.0.0.1:{port}/",
        superscript_digits="http://\u00b9\u00b2\u2077.0.0.1:{port}/",
        soft_hyphens="http://127.0\u00ad.0.1:{port}/",
        escaped_full_width="http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:{port}/",
    ),
    *_urls(
        THIS_MACHINE,
        no_address="http://0.0.0.0:{port}/",
        no_address_but_almost="http://0.0.0.1:{port}/",
        no_address_ipv6="http://[::]:{port}/",
        no_address_mapped="http://[::ffff:0.0.0.0]:{port}/",
    ),
    *_urls(
        WRAPPED,
        ipv4_compatible="http://[::127.0.0.1]:{port}/",
        ipv4_translated="http://[::ffff:0:127.0.0.1]:{port}/",
        nat64_of_ones_own="http://[64:ff9b:1::7f00:1]:{port}/",
        six_to_four="http://[2002:7f00:1::]:{port}/",
        teredo="http://[2001:0:7f00:1::80ff:fffe]:{port}/",
    ),
    *_urls(ZONE, zone="http://[::1%25lo]:{port}/", zone_of_link="http://[fe80::1%25lo]:{port}/"),
]
METADATA_SERVICES: Final = [
    *_urls(
        METADATA,
        metadata="http://169.254.169.254/latest/meta-data/",
        metadata_at_another_port="http://169.254.169.254:{port}/",
        metadata_over_https="https://169.254.169.254/",
        metadata_mapped="http://[::ffff:169.254.169.254]/",
        metadata_mapped_in_hex="http://[::ffff:a9fe:a9fe]/",
        metadata_nat64="http://[64:ff9b::a9fe:a9fe]/",
        metadata_of_amazon_6="http://[fd00:ec2::254]/",
        metadata_of_amazon_6_at_length="http://[FD00:0EC2:0:0:0:0:0:0254]/",
        metadata_of_ecs="http://169.254.170.2/v2/credentials",
        metadata_of_eks="http://169.254.170.23/v1/credentials",
        metadata_of_eks_6="http://[fd00:ec2::23]/v1/credentials",
        metadata_of_alibaba="http://100.100.100.200/",
        metadata_of_azure="http://168.63.129.16/",
        metadata_of_oracle="http://192.0.0.192/",
        metadata_of_google_6="http://[fd20:ce::254]/",
        metadata_of_oracle_6="http://[fd00:c1::a9fe:a9fe]/",
    ),
    *_urls(
        SPELLING,
        metadata_decimal="http://2852039166/",
        metadata_hex="http://0xa9fea9fe/",
        metadata_octal="http://0251.0376.0251.0376/",
        metadata_hex_parts="http://0xa9.0xfe.0xa9.0xfe/",
        metadata_two_parts="http://169.16689662/",
        metadata_three_parts="http://169.254.43518/",
    ),
    *_urls(
        LINK_LOCAL,
        link_local="http://169.254.1.1/",
        metadata_of_openstack_6="http://[fe80::a9fe:a9fe]/",
    ),
    *_urls(WRAPPED, metadata_compatible="http://[::169.254.169.254]/"),
    *_urls(
        "is a metadata service, which no rule can allow",
        metadata_of_google="http://metadata.google.internal/computeMetadata/v1/",
        metadata_of_google_in_full_width="http://metadata.google\uff0einternal./",
    ),
]
PRIVATE: Final = [
    *_urls(
        NO_RULE,
        private_ten="http://10.0.0.5:{port}/",
        private_172="http://172.16.0.1:{port}/",
        private_192="http://192.168.0.1:{port}/",
        shared="http://100.64.0.1:{port}/",
        private_6="http://[fd00::5]:{port}/",
        site_local_6="http://[fec0::5]:{port}/",
        class_e="http://240.0.0.1:{port}/",
        public="http://8.8.8.8:{port}/",
        another_port_of_good="http://{host}:1/",
    ),
    *_urls(MULTICAST, multicast="http://224.0.0.1:{port}/", multicast_6="http://[ff02::1]:{port}/"),
    *_urls("is the broadcast address", broadcast="http://255.255.255.255:{port}/"),
]
PARSERS: Final = [
    *_urls(
        NO_RULE,
        good_as_user="http://{good}@127.0.0.1:{port}/",
        good_as_password="http://user:{good}@127.0.0.1:{port}/",
        good_as_two_users="http://{good}@{good}@127.0.0.1:{port}/",
        good_as_fragment="http://127.0.0.1:{port}#@{good}/",
        good_as_query="http://127.0.0.1:{port}?@{good}/",
        good_as_path="http://127.0.0.1:{port}/@{good}/",
        good_as_first_label="http://good.corp.example.evil.test/",
        good_as_last_letters="http://evilcorp.example/",
        above_good="http://corp.example/",
        look_alike_of_good="http://good.c\u043erp.example/",
    ),
    *_urls(
        USER,
        backslash_before_at="http://127.0.0.1:{port}\\@{good}/",
        backslash_after_good="http://{good}\\@127.0.0.1:{port}/",
        slash_like_before_at="http://127.0.0.1:{port}\u2215@{good}/",
    ),
    *_urls(CHARACTER, backslash="http://127.0.0.1\\.corp.example/", space="http://127.0.0.1 .x/"),
    *_urls(
        ESCAPE,
        escaped_digits="http://%31%32%37.0.0.1:{port}/",
        escaped_nul="http://127.0.0.1%00.corp.example/",
        escaped_slash="http://127.0.0.1%2f.corp.example/",
        escaped_at="http://{host}%40127.0.0.1:{port}/",
    ),
    *_urls(NO_NAME, escaped_twice="http://%2531%2532%2537.corp.example/", dots="http://a..b/"),
    *_urls(
        CONTROL,
        line_feed="http://{good}/\nHost: 127.0.0.1",
        header="http://{good}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /",
        tab="http://127.0.0.1\t:{port}/",
        bell="http://127.0.0.1\x07.corp.example/",
    ),
    *_urls(
        SCHEME,
        file="file:///etc/passwd",
        gopher="gopher://127.0.0.1:{port}/_GET",
        ftp="ftp://127.0.0.1:{port}/",
        websocket="ws://127.0.0.1:{port}/",
        unix="unix:///var/run/docker.sock",
        no_scheme="//127.0.0.1:{port}/",
    ),
    *_urls(
        NO_HOST,
        three_slashes="http:///127.0.0.1:{port}/",
        one_slash="http:/127.0.0.1:{port}/",
        no_slash="http:127.0.0.1:{port}/",
    ),
    *_urls("invalid host", ipv4_in_brackets="http://[127.0.0.1]:{port}/"),
    *_urls("missing ']' in host", half_a_bracket="http://[::1:{port}/"),
    *_urls("invalid port", two_ports="http://127.0.0.1:80:{port}/"),
    *_urls("is no port", port_too_large="http://127.0.0.1:65616/"),
    *_urls("a host has at most 253", long="http://" + "a." * 200 + "x/"),
    *_urls(
        "first path segment in URL cannot contain colon", leading_space=" http://127.0.0.1:{port}/"
    ),
]


def _to(location: str, *, status: int = 302) -> str:
    return f"http://{{good}}/{status}?{quote(location, safe='{}')}"


def _redirects(says: str, **urls: str) -> list[Trick]:
    return [
        Trick(f"redirect-{name.replace('_', '-')}", web(url), says, is_heard_by_good=True)
        for name, url in urls.items()
    ]


REDIRECTS: Final = [
    *_redirects(
        ELSEWHERE,
        to_loopback=_to("http://127.0.0.1:{port}/"),
        to_loopback_in_decimal=_to("http://2130706433:{port}/"),
        to_metadata=_to("http://169.254.169.254/latest/"),
        to_metadata_mapped=_to("http://[::ffff:a9fe:a9fe]/"),
        without_scheme=_to("//127.0.0.1:{port}/"),
        to_another_port=_to("http://{host}:1/"),
        to_another_scheme=_to("https://{good}/"),
        to_a_user=_to("http://{good}@127.0.0.1:{port}/"),
        to_a_file=_to("file:///etc/passwd"),
        for_good=_to("http://127.0.0.1:{port}/", status=301),
        with_303=_to("http://127.0.0.1:{port}/", status=303),
        with_307=_to("http://127.0.0.1:{port}/", status=307),
        with_308=_to("http://127.0.0.1:{port}/", status=308),
        in_two_steps=_to("/302?http://127.0.0.1:{port}/"),
    ),
    *_redirects("Location header", to_no_url=_to("http://127.0.0.1:x/")),
    Trick(
        "redirect-with-a-body",
        web(
            _to("http://127.0.0.1:{port}/", status=307),
            method="POST",
            body="secret",
            headers=[{"key": "Authorization", "value": "secret"}],
        ),
        ELSEWHERE,
        is_heard_by_good=True,
    ),
]
OAUTH2: Final = {"clientId": "i", "clientSecret": "s"}
ANSWERS: Final = "http://{good}/"


def _oauth2(url: str) -> dict[str, Any]:
    return {"authentication": {"oauth2": {**OAUTH2, "tokenUrl": url}}}


OTHER_FIELDS: Final = [
    Trick("token-of-web", web(ANSWERS, **_oauth2("http://127.0.0.1:{port}/token")), NO_RULE),
    Trick("token-of-metadata", web(ANSWERS, **_oauth2("http://169.254.169.254/")), METADATA),
    Trick("token-in-decimal", web(ANSWERS, **_oauth2("http://2130706433:{port}/")), SPELLING),
    Trick(
        "token-by-redirect",
        web(ANSWERS, **_oauth2(_to("http://127.0.0.1:{port}/", status=307))),
        ELSEWHERE,
        is_heard_by_good=True,
    ),
    Trick(
        "prometheus", {"prometheus": {"address": "http://127.1:{port}", "query": "up"}}, SPELLING
    ),
    Trick(
        "token-of-prometheus",
        {
            "prometheus": {
                "address": ANSWERS,
                "query": "up",
                **_oauth2("http://[::ffff:127.0.0.1]:{port}/"),
            }
        },
        NO_RULE,
    ),
    Trick("graphite", {"graphite": {"address": "http://[::1]:{port}", "query": "up"}}, NO_RULE),
    Trick(
        "skywalking",
        {
            "skywalking": {
                "address": "http://169.254.169.254",
                "query": "query {{ up }}",
                "interval": "5m",
            }
        },
        METADATA,
    ),
    Trick("post", web("http://127.0.0.1:{port}/", method="POST", body="x"), NO_RULE),
    Trick("put", web("http://169.254.169.254/latest/api/token", method="PUT", body="x"), METADATA),
    Trick("without-tls-checks", web("https://127.0.0.1:{port}/", insecure=True), NO_RULE),
    Trick(
        "host-header",
        web("http://127.0.0.1:{port}/", headers=[{"key": "Host", "value": "good.corp.example"}]),
        NO_RULE,
    ),
]
EVERYWHERE: Final = [
    *LOOPBACK,
    *METADATA_SERVICES,
    *PRIVATE,
    *PARSERS,
    *REDIRECTS,
    *OTHER_FIELDS,
]
"""What can be tried on any machine."""
GOOD_ADDRESS: Final = "203.0.113.10"
NOT_ALLOWED: Final = "leads to an address that rule"
LEADS_TO_METADATA: Final = "leads to a metadata address, which no rule can allow"
RULES: Final = [
    {"name": "corp", "hosts": ["*.corp.example"], "networks": ["203.0.113.0/24"]},
    {"name": "partner", "hosts": ["*.partner.example"]},
    {"name": "prom", "hosts": ["prom.svc", "short"]},
]
"""What may be asked in a network of its own."""
ZONE: Final = {
    "good.corp.example": [["203.0.113.10"]],
    "loopback.corp.example": [["127.0.0.1"]],
    "metadata.corp.example": [["169.254.169.254"]],
    "private.corp.example": [["10.0.0.5"]],
    "public.corp.example": [["93.184.216.34"]],
    "zero.corp.example": [["0.0.0.0"]],
    "broadcast.corp.example": [["255.255.255.255"]],
    "last.corp.example": [["203.0.113.10", "127.0.0.1"]],
    "first.corp.example": [["127.0.0.1", "203.0.113.10"]],
    "among.corp.example": [["203.0.113.10", "203.0.113.11", "169.254.169.254", "203.0.113.12"]],
    "six.corp.example": [["::1"]],
    "both.corp.example": [["203.0.113.10", "fd00:ec2::254"]],
    "mapped.corp.example": [["::ffff:169.254.169.254"]],
    "nat64.corp.example": [["64:ff9b::7f00:1"]],
    "tunnel.corp.example": [["2002:7f00:1::1"]],
    "link.corp.example": [["fe80::1"]],
    "alias.corp.example": [["target.evil.test"]],
    "far.corp.example": [["farther.corp.example"]],
    "farther.corp.example": [["target.evil.test"]],
    "target.evil.test": [["127.0.0.1"]],
    "rebind.corp.example": [["203.0.113.10"], ["127.0.0.1"]],
    "rebind-metadata.corp.example": [["203.0.113.10"], ["169.254.169.254"]],
    "rebind-both.corp.example": [["203.0.113.10"], ["203.0.113.10", "127.0.0.1"]],
    "private.partner.example": [["10.0.0.5"]],
    "shared.partner.example": [["100.64.0.1"]],
    "private-six.partner.example": [["fd00::5"]],
    "loopback.partner.example": [["127.0.0.1"]],
    "public.partner.example": [["93.184.216.34"]],
    "rebind.partner.example": [["93.184.216.34"], ["10.0.0.5"]],
    "prom.svc": [["127.0.0.1"]],
    "short.corp.example": [["127.0.0.1"]],
    "evilcorp.example": [["203.0.113.10"]],
    "good.corp.example.evil.test": [["203.0.113.10"]],
    "corp.example": [["203.0.113.10"]],
    "metadata.google.internal": [["203.0.113.10"]],
}
"""What the name server of that network knows."""


def _names(says: str, *names: str) -> list[Trick]:
    return [Trick(f"name-{name.replace('.', '-')}", web(f"http://{name}/"), says) for name in names]


def _rebinding(says: str, name: str) -> Trick:
    url = web(f"http://{name}/")
    return Trick(f"name-{name.replace('.', '-')}", url, says, first=url)


NAMES: Final = [
    *_names(
        NOT_ALLOWED,
        "loopback.corp.example",
        "private.corp.example",
        "public.corp.example",
        "last.corp.example",
        "first.corp.example",
        "six.corp.example",
        "nat64.corp.example",
        "alias.corp.example",
        "far.corp.example",
        "private.partner.example",
        "shared.partner.example",
        "private-six.partner.example",
        "loopback.partner.example",
        "prom.svc",
        "short",
    ),
    *_names(
        LEADS_TO_METADATA,
        "metadata.corp.example",
        "among.corp.example",
        "both.corp.example",
        "mapped.corp.example",
        "metadata\uff0ecorp\uff0eexample",
    ),
    *_names("leads to an address of no machine, so of this one", "zero.corp.example"),
    *_names("leads to the broadcast address", "broadcast.corp.example"),
    *_names("leads to an address that wraps another one", "tunnel.corp.example"),
    *_names("leads to a link-local address", "link.corp.example"),
    _rebinding(NOT_ALLOWED, "rebind.corp.example"),
    _rebinding(LEADS_TO_METADATA, "rebind-metadata.corp.example"),
    _rebinding(NOT_ALLOWED, "rebind-both.corp.example"),
    _rebinding(NOT_ALLOWED, "rebind.partner.example"),
    Trick(
        "redirect-to-a-name",
        web(_to("http://loopback.corp.example/")),
        ELSEWHERE,
        is_heard_by_good=True,
    ),
    Trick(
        "token-of-a-name",
        web(ANSWERS, **_oauth2("http://metadata.corp.example/token")),
        LEADS_TO_METADATA,
    ),
    Trick(
        "token-of-a-name-in-loopback",
        web(ANSWERS, **_oauth2("http://loopback.partner.example/token")),
        NOT_ALLOWED,
    ),
]
"""What takes a name server."""
