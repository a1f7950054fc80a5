"""How a cluster is reached: from within it, or as a kubeconfig file says."""

from collections.abc import Callable
from typing import Final

from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError
from msgspec import ValidationError
from yaml import YAMLError

from gateway.config.kubernetes import IN_CLUSTER
from gateway.config.settings import SettingsInvalid
from gateway.errors import Problem

LoadConfig = Callable[[], SingleConfig]
"""Reads where the API server is and how to prove who one is, as it stands now."""
_UNUSABLE: Final = (ConfigError, ValidationError, YAMLError, OSError, KeyError, TypeError)


def config_loader(connect: str, context: str, *, setting: str) -> LoadConfig:
    """What loads the configuration, now and whenever credentials have changed.

    Args:
        connect: ``in-cluster`` or the path of a kubeconfig file.
        context: one of the file's contexts; empty for its current one.
        setting: the key that is told if it cannot be used.

    """

    def load() -> SingleConfig:
        try:
            return _loaded(connect, context)
        except _UNUSABLE as error:
            # Only what the library says itself: the text of a parser may quote the file.
            why = str(error) if isinstance(error, ConfigError | OSError) else type(error).__name__
            message = f"{connect} cannot be used to reach a cluster: {why}"
            raise SettingsInvalid((Problem(setting, message),)) from None

    return load


def _loaded(connect: str, context: str) -> SingleConfig:
    if connect == IN_CLUSTER:
        config = KubeConfig.from_service_account().get()
    else:
        config = KubeConfig.from_file(connect).get(context or None)
    if config is None or config.user is None:
        raise ConfigError("it names no user")
    return config
