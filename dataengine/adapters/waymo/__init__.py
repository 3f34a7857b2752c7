"""Waymo Open Dataset v2: its Parquet tables."""
