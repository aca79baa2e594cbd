"""What several suites share: samples of input, and how to read what comes out."""
