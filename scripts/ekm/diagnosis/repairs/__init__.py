"""Ways to put a statement right, one kind of fault a file.

A repair is a candidate: the search tries it with the evaluator, and only what flips the decision
is ever shown.
"""
