"""What the next batch of labels would gain, with an interval: a learning curve and its uncertainty."""

from __future__ import annotations
