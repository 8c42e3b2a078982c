"""A web portal where staff get short-lived AWS credentials."""

__version__ = "0.1.0"
