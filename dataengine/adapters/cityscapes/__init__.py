"""Cityscapes: its tree, polygons and vehicle files."""
