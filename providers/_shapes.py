"""The shape of provider blocks, and of the authentication that prometheus and web share.

Source: argo-rollouts pkg/apis/rollouts/v1alpha1/analysis_types.go:235-300, 583-656 @ 9f8d111d8.
"""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gateway.errors import ProviderInvalid
from gateway.provider import Block
from gateway.shapes import shape_problems

Item = TypeVar("Item")
Spec = TypeVar("Spec", bound="Shape")
Items = Annotated[tuple[Item, ...], Field(strict=False)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Shape(BaseModel):
    """A block: frozen, camelCase on the outside, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        # Passwords, tokens and API keys may stand in any field.
        return []


class Header(Shape):
    """One request header."""

    key: str
    value: str


class BasicAuth(Shape):
    """A user with a password."""

    username: str = ""
    password: str = ""


class OAuth2Config(Shape):
    """The client credentials grant of OAuth2."""

    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scopes: Items[str] = ()


class Sigv4Config(Shape):
    """Amazon's request signature."""

    region: str = ""
    profile: str = ""
    role_arn: str = ""


class Authentication(Shape):
    """How a request proves who it is."""

    basic_auth: BasicAuth = BasicAuth()
    oauth2: OAuth2Config = OAuth2Config()
    sigv4: Sigv4Config = Sigv4Config()


def check(spec: type[Shape], block: Block) -> list[tuple[str, str]]:
    """All that is wrong with a block's shape, as path and message."""
    try:
        spec.model_validate(block)
    except ValidationError as error:
        return [(problem.path, problem.message) for problem in shape_problems(spec, error)]
    return []


def parse(spec: type[Spec], block: Block) -> Spec:
    """A block as a frozen value.

    Raises:
        ProviderInvalid: naming every field that is wrong.

    """
    try:
        return spec.model_validate(block)
    except ValidationError as error:
        problems = "; ".join(str(problem) for problem in shape_problems(spec, error))
        raise ProviderInvalid(problems) from error
