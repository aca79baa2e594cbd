"""Brute force and weakenings against the proof."""
