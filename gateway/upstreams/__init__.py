"""The way out to what is measured: where it may lead, with which credentials, and how often."""
