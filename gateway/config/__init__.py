"""The settings: one YAML file and the flags over it, a module for each part of it."""
