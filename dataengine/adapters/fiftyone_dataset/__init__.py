"""A dataset that is in FiftyOne already, or in its Zoo."""
