"""One hypothesis profile: a busy machine must not fail a property."""

from hypothesis import settings

settings.register_profile("assay", deadline=None, print_blob=True)
settings.load_profile("assay")
