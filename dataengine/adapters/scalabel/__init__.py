"""Label files of Scalabel, which BDD100K is published in, of any size."""
