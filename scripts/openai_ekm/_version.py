"""The version of the distribution, read by the build, the CLI and the module's launcher."""

__version__ = "0.1.0"
