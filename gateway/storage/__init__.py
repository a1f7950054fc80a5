"""Redis: a client with little patience, and a server of the gateway's own where there is none."""
