"""A faithful server of the API, driven by the spec, and many unfaithful ones."""
