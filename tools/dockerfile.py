"""Dockerfiles, as far as this project's goes."""

import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Stage:
    """One stage of a Dockerfile."""

    name: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Instructions and what stands behind them, in order."""

    def all(self, instruction: str) -> list[str]:
        """What stands behind each instruction of a kind."""
        return [text for word, text in self.steps if word == instruction]

    def last(self, instruction: str) -> str:
        """What stands behind the last one of a kind."""
        return self.all(instruction)[-1]


def read_stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append(Stage(rest.partition(" AS ")[2]))
        elif stages:
            stages[-1].steps.append((word, rest.strip()))
    return stages


def environment(stage: Stage) -> dict[str, str]:
    """What ENV says, on top of what a base image has."""
    values = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    for text in stage.all("ENV"):
        for pair in shlex.split(text):
            name, _, value = pair.partition("=")
            values[name] = value.replace("${PATH}", values["PATH"])
    return values
