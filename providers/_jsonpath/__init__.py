"""Kubernetes' JSONPath, as client-go reads it."""

from providers._jsonpath.parser import JsonPathInvalid
from providers._jsonpath.search import JsonPath, JsonPathNotFound

__all__ = ["JsonPath", "JsonPathInvalid", "JsonPathNotFound"]
