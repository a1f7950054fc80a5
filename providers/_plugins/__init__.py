"""Providers of other people's distributions, kept from harming anybody but their own metric.

loading    entry points to types, or why there is none
watch      whose code runs now: one that blocks everybody is named
guard      whatever it does becomes an error with its name, and ends in time
results    what it hands over is what the gateway's own providers would
guarded    all that around one type and its providers
"""
