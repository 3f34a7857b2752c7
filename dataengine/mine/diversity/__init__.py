"""How to keep the picks of one batch from resembling each other, and what is labelled."""
