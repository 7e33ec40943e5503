"""What the tests of enrich share."""

from tests.service.conftest import logged

__all__ = ["logged"]
