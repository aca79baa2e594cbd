"""Register, adopt, validate, retire: one intent ends as one external key, and a true record.

Source: design section 5. `register` and `retire` are protocols without I/O: they yield steps
(`steps`), and `runner` carries them out.
"""
