"""A port of its own for metrics and health."""

from pathlib import Path

from raw_http import caller
from running import service
from tls_files import Files, trusting
from trustme import CA


async def test_operators_have_a_port_of_their_own(tmp_path: Path) -> None:
    """There they need no credential; the main port has none of what is there."""
    async with (
        service(tmp_path, operations={"port": 0}) as gateway,
        caller(gateway.operations_url) as operator,
    ):
        for path in ("/metrics", "/healthz", "/readyz"):
            assert (await operator.asks(path)).status == 200
            assert (await gateway.get(path)).status == 404
        for path in ("/openapi.yaml", "/v1/templates", "/v1/runs"):
            assert (await operator.asks(path)).status == 404
            assert (await gateway.get(path)).status == 200
        metrics = (await operator.asks("/metrics")).text
    assert 'route="/v1/templates",status="200"' in metrics
    assert 'route="/readyz",status="200"' in metrics


async def test_the_port_of_operators_is_plain(tmp_path: Path) -> None:
    """Probes of a cluster have no certificate to show; callers must."""
    ca = CA()
    files = Files(tmp_path / "tls")
    files.serve(ca.issue_cert("127.0.0.1"), ca)
    tls = files.settings(clientCa=files["ca"])
    async with service(tmp_path / "s", tls=tls, operations={"port": 0}) as gateway:
        context = trusting(ca, shows=ca.issue_cert("shop.ci"))
        templates = await gateway.send("GET", "/v1/templates", ssl=context)
        async with caller(gateway.operations_url) as probe:
            assert (await probe.asks("/readyz")).status == 200
    assert (templates.status, templates.body["templates"]) == (200, [])


async def test_operators_are_not_crowded_out(tmp_path: Path) -> None:
    """Callers who take every place take none of theirs."""
    async with (
        service(tmp_path, operations={"port": 0}, limits={"connections": 1}) as gateway,
        caller(gateway.operations_url) as operator,
        caller(gateway.url) as first,
        caller(gateway.url) as second,
    ):
        assert (await second.asks("/v1/templates")).status == 200
        await first.is_dropped()
        metrics = (await operator.asks("/metrics")).text
    assert "analysis_gateway_connections 2.0" in metrics
    assert 'analysis_gateway_connections_cut_total{reason="crowded"} 1.0' in metrics
