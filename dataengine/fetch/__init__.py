"""Datasets from the net: the list of cards, downloads that resume, unpacking that stays inside, verifying.

The standard library does it all: what is needed is ranges, a read timeout and a checked redirect, and
a person who only downloads needs nothing else. Nothing of a download is ever executed.
"""

from dataengine.fetch.commands import main

__all__ = ["main"]
