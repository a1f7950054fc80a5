"""The HTTP face of the gateway, one file per resource."""
