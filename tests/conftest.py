"""What all tests may use."""

pytest_plugins = ["redis_server", "kube.plugin", "chart.plugin"]
