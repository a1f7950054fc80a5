"""The recipes for vendors: the page's own templates, run against what the vendors document."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from backends import Play, Recorded, backend
from running import Reply, service

from gateway.documents import Syntax, read_documents
from gateway.lint import lint
from gateway.logs import JsonFormatter
from providers import PROVIDERS

PAGE = (Path(__file__).resolve().parents[2] / "docs/recipes.md").read_text(encoding="utf-8")
EXCHANGES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "recipes").glob("*.json"))
}
RECIPE = re.compile(
    r"^```yaml\n(apiVersion: argoproj.io.*?)^```$(.*?)(?=^```yaml|^## |\Z)",
    re.MULTILINE | re.DOTALL,
)
ANSWER = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| .* \| (Successful|Failed|Inconclusive|Error): `(.*)` \|$", re.MULTILINE)


def recipes() -> dict[str, tuple[str, str]]:
    """Each template of the page by its name: its text, and what the page says below it."""
    found = {yaml.safe_load(text)["metadata"]["name"]: (text, below) for text, below in split()}
    assert len(found) == len(list(split()))
    return found


def split() -> Iterator[tuple[str, str]]:
    """Each template of the page, with what follows up to the next one."""
    return ((match[1], match[2]) for match in RECIPE.finditer(PAGE))


def answers() -> Iterator[Any]:
    """Every answer of every vendor."""
    for name, exchange in EXCHANGES.items():
        for number, answer in enumerate(exchange["answers"]):
            yield pytest.param(name, answer, id=f"{name}-{number}-{answer['phase']}")


def write(path: Path, text: str) -> None:
    """A file in a folder of its own."""
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


async def judge(folder: Path, name: str, play: Play) -> tuple[Recorded, Reply]:
    """The verdict of a recipe by its name, and the first request that the vendor got for it."""
    exchange, (text, _) = EXCHANGES[name], recipes()[name]
    secret = exchange["secret"]
    write(folder / "secrets/shop" / secret["name"] / secret["key"], secret["value"])
    given = "&".join(f"args.{key}={value}" for key, value in exchange["arguments"].items())
    async with backend(play) as vendor:
        assert exchange["origin"] in text
        write(folder / "templates/t.yaml", text.replace(exchange["origin"], vendor.url))
        async with service(
            folder / "state",
            templates=folder / "templates",
            secrets=folder / "secrets",
        ) as gateway:
            path = f"/v1/namespaces/shop/analysistemplates/{name}/verdict"
            reply = await gateway.get(f"{path}?wait=10s&{given}")
    assert reply.status == 200, reply.text
    return vendor.requests[0], reply


def body_of(request: Recorded, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The body, read as what is expected: ``form``, ``json``, or the text itself as ``body``."""
    if "form" in expected:
        pairs = dict(parse_qsl(request.body, strict_parsing=True))
        return {"form": {key: value for key, value in pairs.items() if key != "time"}}
    return {"json": json.loads(request.body)} if "json" in expected else {"body": request.body}


def credentials_in(request: Recorded) -> set[str]:
    """What a vendor is shown: the secret itself, or what basic authentication makes of it."""
    names = {"Authorization", "X-Sf-Token", "X-Honeycomb-Team"} & request.headers.keys()
    found = {request.headers[name].split()[-1] for name in names}
    assert found
    return found


def test_every_recipe_has_an_exchange() -> None:
    """And every exchange belongs to one."""
    assert list(EXCHANGES) == sorted(recipes())


@pytest.mark.parametrize("name", EXCHANGES)
def test_linter_has_nothing_to_say(name: str) -> None:
    """About any of the templates: no error, and no warning either."""
    documents = read_documents(recipes()[name][0].encode(), name=name, syntax=Syntax.YAML)
    assert lint(documents, provider_types=PROVIDERS, environ={}, lookup=lambda _: None) == ()


@pytest.mark.parametrize("name", EXCHANGES)
def test_no_caller_chooses_who_gets_the_secret(name: str) -> None:
    """Scheme and host of each address stand in the template."""
    (metric,) = yaml.safe_load(recipes()[name][0])["spec"]["metrics"]
    (block,) = metric["provider"].values()
    address = block.get("url") or block["address"]
    assert address.startswith(f"{EXCHANGES[name]['origin']}/")


@pytest.mark.parametrize("name", EXCHANGES)
def test_page_shows_the_exchange(name: str) -> None:
    """The good answer in full, and the verdict for each of them."""
    below = recipes()[name][1]
    shown = ANSWER.search(below)
    assert shown is not None
    assert json.loads(shown[1]) == EXCHANGES[name]["answers"][0]["body"]
    told = [(answer["phase"], answer["shown"]) for answer in EXCHANGES[name]["answers"]]
    assert ROW.findall(below) == told


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchange_has_a_refusal(name: str) -> None:
    """Of the credentials; it is an Error wherever it is."""
    told = {answer["status"]: answer["phase"] for answer in EXCHANGES[name]["answers"]}
    assert told[401] == "Error"


def test_page_shows_the_search() -> None:
    """Of Splunk, as it is before it is encoded."""
    exchange = EXCHANGES["splunk-error-share"]
    shown = PAGE.replace("{{args.service}}", exchange["arguments"]["service"])
    assert f"```text\n{exchange['request']['form']['search']}\n```" in shown


@pytest.mark.parametrize(("name", "answer"), list(answers()))
async def test_answer_becomes_a_verdict(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, answer: Mapping[str, Any]
) -> None:
    """The vendor is asked as it documents, and what it answers is judged as the page says."""
    caplog.set_level(logging.DEBUG)
    play = Play(json.dumps(answer["body"]), status=answer["status"])
    request, reply = await judge(tmp_path, name, play)
    expected = EXCHANGES[name]["request"]
    assert (request.method, request.target) == (expected["method"], expected["target"])
    assert request.headers.items() >= expected["headers"].items()
    assert body_of(request, expected) == {
        key: expected[key] for key in ("form", "json", "body") if key in expected
    }
    (metric,) = reply.body["metrics"].values()
    assert (metric["phase"], reply.body["ok"]) == (answer["phase"], answer["phase"] == "Successful")
    assert answer["shown"] in (metric["message"] or metric["text"])
    # The stand-in for a vendor writes a log of its own.
    records = [each for each in caplog.records if each.name != "aiohttp.access"]
    said = [reply.text, *(JsonFormatter().format(each) for each in records)]
    for credential in credentials_in(request):
        assert not [each for each in said if credential in each]
