"""The server's parts without the server, for programs that train or measure."""

import logging
from typing import Any

import structlog

from app.assembly.services import Services
from app.settings import Settings


def quiet_services(**settings: Any) -> Services:
    """Return the services with these settings, which log errors alone."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return Services(Settings(_env_file=None, **settings))
