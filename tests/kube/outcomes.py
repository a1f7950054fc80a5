"""What may become of a Job: the scripts that tests choose from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Succeeds:
    """Its containers run for a while and exit with 0."""

    after_s: float = 0.1
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class Fails:
    """Its first container exits with another code, and the Job is not tried again."""

    exit_code: int = 1
    after_s: float = 0.1
    log: str = ""
    reason: str = "BackoffLimitExceeded"
    message: str = "Job has reached the specified backoff limit"
    container_reason: str = "Error"
    """Why the container ended, such as ``OOMKilled``."""


@dataclass(frozen=True, kw_only=True)
class CannotPull:
    """A container's image is not to be had; the Job stays active."""

    reason: str = "ImagePullBackOff"
    message: str = "Back-off pulling image"
    in_init: bool = False
    """Whether it is the first init container's image, not the first container's."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Its containers run until the test tells how that ends."""

    log: str = ""


@dataclass(frozen=True, kw_only=True)
class DeadlineExceeded:
    """It runs longer than its ``activeDeadlineSeconds``: its Pod is deleted, log and all."""

    after_s: float = 0.1
    log: str = ""


Outcome = Succeeds | Fails | CannotPull | Runs | DeadlineExceeded
