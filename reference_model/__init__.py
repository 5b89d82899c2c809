"""A small language model that stands in for real ones; it knows no HTTP and no spec."""
