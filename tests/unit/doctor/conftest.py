"""The doctor's readers are tried on moto, which comes with LocalStack for Python 3.13 alone."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("moto") else ["test_doctor_blocking.py", "test_doctor_readers.py"]
