"""Which Helm renders the chart: the first line of a test run tells, and loudly if there is none."""

from chart.rendering import HELM, helm


def pytest_report_header() -> str:
    """Tell which Helm the tests use."""
    if HELM is None:
        return "chart: NO HELM, SO THE TESTS OF THE CHART ARE SKIPPED; tools/setup test brings one"
    return f"chart: Helm {helm('version', '--template', '{{.Version}}').stdout} at {HELM}"
