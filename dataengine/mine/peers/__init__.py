"""Published rules that a user would pick instead, to be measured beside ours: whole strategies, cited."""
