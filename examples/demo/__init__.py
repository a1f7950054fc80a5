"""The demonstration: an application to judge, and a runner for all that judges it."""
