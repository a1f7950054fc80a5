"""The web page: what people see of runs, templates and upstreams. It has no right of its own."""
