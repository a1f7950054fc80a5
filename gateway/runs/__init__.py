"""Durable runs: analyses that take hours and outlive the replicas that drive them."""
