"""The monitoring's test: a harmless change of the key, and the message that it must lead to.

`message` and `preflight` decide, and call nobody. `aws` calls AWS and decides
nothing. `carry_out` puts both together, and removes what it made however it ends.

Source: docs/operate/monitor-test.md
"""
