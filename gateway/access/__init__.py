"""Who asks, and what they may: credentials to callers, and the policy about them."""
