"""Datasets from the net: listing, downloading with resume, unpacking, verifying."""
