"""One folder a package; each module's own tests are found by its name."""
