"""comma10k: images with masks."""
