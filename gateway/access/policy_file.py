"""The policy as a file has it."""

from pydantic import ValidationError

from gateway.access.policy import Policy
from gateway.errors import TemplateInvalid
from gateway.shapes import shape_problems


def parse_policy(content: object) -> Policy:
    """A document to the policy. Raises TemplateInvalid with every problem and its path."""
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        raise TemplateInvalid(shape_problems(Policy, error)) from None
