"""Repairs of a statement, one file for each kind of fault.

A repair is a candidate: the search tries it with the evaluator, and shows it only if it flips the
decision.
"""
