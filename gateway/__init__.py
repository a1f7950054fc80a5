"""Analysis Gateway: Argo Rollouts analysis as a service."""
