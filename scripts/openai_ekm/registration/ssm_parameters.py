"""Parameters under one prefix of SSM, each created, replaced or deleted as a whole.

Sources:
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
(Overwrite, Tier), docs/decisions/0003-claims-in-ssm.md
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from openai_ekm.aws_session import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ADVANCED_BYTES", "STANDARD_BYTES", "SsmParameters"]

STANDARD_BYTES: Final = 4096  # of a Standard parameter, which costs nothing
ADVANCED_BYTES: Final = 8192  # of an Advanced parameter


class SsmParameters:
    """The parameters `<prefix>/<name>`.

    Args:
        client: boto3's SSM client.
        prefix: As `check_prefix` accepts it.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._ssm = client
        self.prefix = prefix

    def pages(self) -> Iterator[dict[str, Any]]:
        """Yield the pages of the parameters, each when it is asked for."""
        token: dict[str, str] | None = {}
        while token is not None:
            with translated(f"ssm:GetParametersByPath {self.prefix}"):
                page = self._ssm.get_parameters_by_path(Path=self.prefix, **token)
            yield page
            token = {"NextToken": page["NextToken"]} if page.get("NextToken") else None

    def create(self, name: str, value: str) -> bool:
        """Create a parameter; return False when one of the name exists.

        That one can be this run's own: botocore repeats a call whose answer was lost.
        """
        full = f"{self.prefix}/{name}"
        with translated(f"ssm:PutParameter {full}"):
            try:
                self._ssm.put_parameter(Name=full, Value=value, Type="String", Overwrite=False)
            except ClientError as failure:
                if failure.response["Error"]["Code"] != "ParameterAlreadyExists":
                    raise
                return False
        return True

    def replace(self, name: str, value: str) -> None:
        """Write a parameter, whether or not it exists, in the tier that its size needs."""
        full = f"{self.prefix}/{name}"
        put = partial(
            self._ssm.put_parameter, Name=full, Value=value, Type="String", Overwrite=True
        )
        with translated(f"ssm:PutParameter {full}"):
            try:
                put(**({"Tier": "Advanced"} if len(value.encode()) > STANDARD_BYTES else {}))
            except ClientError as failure:
                # What was once too large for a Standard parameter stays Advanced when it shrinks.
                if "advanced-parameter tier" not in failure.response["Error"].get("Message", ""):
                    raise
                put(Tier="Advanced")

    def delete(self, name: str) -> None:
        """Delete a parameter; harmless when there is none."""
        full = f"{self.prefix}/{name}"
        with translated(f"ssm:DeleteParameter {full}"):
            try:
                self._ssm.delete_parameter(Name=full)
            except ClientError as failure:
                if failure.response["Error"]["Code"] != "ParameterNotFound":
                    raise
