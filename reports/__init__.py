"""Reports: what a finished run looks like on a page, in CI and on a badge."""
