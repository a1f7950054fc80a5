"""From a request's proofs to its caller."""

from collections.abc import Sequence

import pytest

from gateway.access.authentication import GuardedDoor, OpenDoor, Proofs
from gateway.access.caller import ANONYMOUS, Caller
from gateway.errors import CredentialMissing, CredentialRefused, CredentialUnchecked

CERTIFICATE = {"subject": ((("commonName", "ci"),),)}


class Known:
    """A kind of credential."""

    def __init__(self, name: str, *tokens: str) -> None:
        self.name = name
        self.tokens = tokens
        self.asked: list[str] = []

    async def caller_of(self, token: str) -> Caller | None:
        """Whose a token is."""
        self.asked.append(token)
        if token == "unchecked":
            raise CredentialUnchecked("not now")
        return Caller(self.name) if token in self.tokens else None


def door(*kinds: Known, certificates: bool = False) -> GuardedDoor:
    """A door that knows these kinds."""
    return GuardedDoor(kinds, takes_certificates=certificates)


@pytest.mark.parametrize(
    ("authorization", "name"),
    [
        pytest.param(["Bearer one"], "first", id="first-kind"),
        pytest.param(["bearer two"], "second", id="second-kind"),
        pytest.param(["BEARER   both"], "first", id="the-first-that-knows-it"),
    ],
)
async def test_whose_a_token_is(authorization: Sequence[str], name: str) -> None:
    """The kinds are asked in their order."""
    guarded = door(Known("first", "one", "both"), Known("second", "two", "both"))
    assert await guarded.caller_of(Proofs(authorization, None)) == Caller(name)


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        pytest.param(["Bearer nope"], "not one that this gateway knows", id="unknown"),
        pytest.param(["Bearer one", "Bearer one"], "must be given once", id="twice"),
        pytest.param(["Basic YTpi"], "must be Bearer TOKEN", id="another-scheme"),
        pytest.param(["Bearer"], "must be Bearer TOKEN", id="no-token"),
        pytest.param(["Bearer a b"], "must be Bearer TOKEN", id="two-words"),
        pytest.param(["one"], "must be Bearer TOKEN", id="no-scheme"),
        pytest.param([""], "must be Bearer TOKEN", id="empty"),
        pytest.param(["Bearer tök\udce9n"], "must be Bearer TOKEN", id="not-ascii"),
    ],
)
async def test_proofs_that_are_worth_nothing(authorization: Sequence[str], words: str) -> None:
    """A good certificate beside them changes nothing: who shows both means the token."""
    guarded = door(Known("first", "one"), certificates=True)
    with pytest.raises(CredentialRefused, match=words):
        await guarded.caller_of(Proofs(authorization, CERTIFICATE))


async def test_a_kind_that_cannot_tell_ends_the_search() -> None:
    """Whether the next one would know the token does not matter."""
    later = Known("second", "unchecked")
    with pytest.raises(CredentialUnchecked):
        await door(Known("first"), later).caller_of(Proofs(["Bearer unchecked"], None))
    assert later.asked == []


@pytest.mark.parametrize(
    ("certificates", "certificate", "name"),
    [
        pytest.param(True, CERTIFICATE, "certificate:ci", id="accepted"),
        pytest.param(False, CERTIFICATE, None, id="not-switched-on"),
        pytest.param(True, None, None, id="none-was-shown"),
        pytest.param(True, {"subject": ()}, None, id="it-names-nobody"),
    ],
)
async def test_a_certificate(
    certificates: bool,  # noqa: FBT001 - a table column
    certificate: dict[str, object] | None,
    name: str | None,
) -> None:
    """Names the caller where the settings say so."""
    guarded = door(certificates=certificates)
    if name is None:
        with pytest.raises(CredentialMissing) as caught:
            await guarded.caller_of(Proofs([], certificate))
        assert type(caught.value) is CredentialMissing
    else:
        assert (await guarded.caller_of(Proofs([], certificate))).name == name


async def test_an_open_door_asks_nobody() -> None:
    """Whatever is shown."""
    assert await OpenDoor().caller_of(Proofs(["Bearer x"], CERTIFICATE)) is ANONYMOUS


def test_proofs_do_not_show_a_token() -> None:
    """In a log or a traceback."""
    assert "s3cret" not in repr(Proofs(["Bearer s3cret"], None))
