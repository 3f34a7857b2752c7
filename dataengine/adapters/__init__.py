"""Adapters: one public dataset format each, seen as recordings with labels."""
