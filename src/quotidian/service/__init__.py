"""What all services share: an application with health, metrics, errors, access and logs, and how it is run."""

from quotidian.model.health import Dependency, Health
from quotidian.service.access import Access
from quotidian.service.app import create
from quotidian.service.wire import answer, body

__all__ = ["Access", "Dependency", "Health", "answer", "body", "create"]
