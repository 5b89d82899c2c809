"""A small language model that stands in for real ones; it knows no HTTP and no spec."""

import os

# One thread, as torch has: a second one makes small products slower, and on a busy
# machine much slower. It counts only where numpy has not been imported before.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
