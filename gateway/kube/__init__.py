"""One Kubernetes cluster: its API, and what the gateway reads and runs there.

Nothing here is imported unless a cluster is configured: the client library costs 0.3 s and 23 MB.
"""
