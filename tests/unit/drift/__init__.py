"""Tests of the drift package."""
