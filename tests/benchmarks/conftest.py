"""Benchmarks share the fixtures of the packages that they time."""

from __future__ import annotations

from tests.cockpit.conftest import fo

__all__ = ["fo"]
