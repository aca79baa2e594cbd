"""Register, adopt, validate, retire: one intent ends as one external key and a true record.

`register` and `retire` do no I/O: they yield steps (`protocol`), and `runner` carries the steps
out.

Source: docs/registration.md#the-steps-of-ekm-register
"""
