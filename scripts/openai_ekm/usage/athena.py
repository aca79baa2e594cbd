"""The same queries for Athena, for logs that outgrow one machine: text to copy, run by nobody here.

Sources: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html,
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.usage.columns import IN_ATHENA
from openai_ekm.usage.query_texts import ANSWERS, DEFINITIONS, given, literal, query
from openai_ekm.usage.target import Target, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TABLE", "check_location", "create_table", "queries", "script"]

TABLE: Final = "ekm_trail"
FIRST_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)  # of the projection, unless --since is given
_LOCATION: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[A-Za-z0-9!_.*()-]+/)*")
_DDL: Final = """\
CREATE EXTERNAL TABLE IF NOT EXISTS {table} (
  eventversion STRING,
  useridentity STRUCT<
    type: STRING,
    principalid: STRING,
    arn: STRING,
    accountid: STRING,
    invokedby: STRING,
    accesskeyid: STRING,
    username: STRING,
    sessioncontext: STRUCT<
      sessionissuer: STRUCT<
        type: STRING,
        principalid: STRING,
        arn: STRING,
        accountid: STRING,
        username: STRING>>>,
  eventtime STRING,
  eventsource STRING,
  eventname STRING,
  awsregion STRING,
  sourceipaddress STRING,
  useragent STRING,
  errorcode STRING,
  errormessage STRING,
  requestparameters STRING,
  responseelements STRING,
  eventid STRING,
  resources ARRAY<STRUCT<arn: STRING, accountid: STRING, type: STRING>>,
  recipientaccountid STRING,
  sharedeventid STRING
)
PARTITIONED BY (account STRING, log_region STRING, day STRING)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '{location}'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '{accounts}',
  'projection.log_region.type' = 'enum',
  'projection.log_region.values' = '{regions}',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'projection.day.range' = '{first},NOW',
  'storage.location.template' = '{location}${{account}}/CloudTrail/${{log_region}}/${{day}}'
)"""


def check_location(location: str) -> str:
    """Return where the folders of the accounts are, with a slash at the end.

    Args:
        location: As given: `s3://BUCKET/…/AWSLogs/`, with the organization's id below where the
            trail is of an organization.

    Raises:
        BadInput: It is malformed.
    """
    whole = location.rstrip("/") + "/"
    if not _LOCATION.fullmatch(whole) or "AWSLogs" not in whole.split("/"):
        raise BadInput(
            "athena_location_malformed",
            f"--athena {location!r} is not s3://BUCKET/…/AWSLogs/ (with the organization's id "
            "behind it where the trail is of an organization).",
            at_fault="--athena",
            remedy="Give the folder in which the folders of the accounts are.",
        )
    return whole


def create_table(location: str, target: Target) -> str:
    """Return the statement that makes the table, with its partitions projected.

    Args:
        location: Checked.
        target: Its accounts, Regions and first day limit what Athena looks at.
    """
    first = (target.since or FIRST_DAY) - timedelta(days=1)
    return _DDL.format(
        table=TABLE,
        location=location,
        accounts=",".join(sorted({target.key_account, target.role_account})),
        regions=",".join(sorted(_regions(target))),
        first=f"{first.astimezone(UTC):%Y/%m/%d}",
    )


def _regions(target: Target) -> frozenset[str]:
    return target.regions or frozenset({target.key_region, "us-east-1"})


def queries(target: Target) -> dict[str, str]:
    """Return the text of each answer: its name, and the definitions before it.

    Args:
        target: What is asked about.
    """
    tables = {
        "events": _events(target),
        **given(target),
        **{name: query(name) for name in DEFINITIONS},
    }
    shown = ",\n".join(f"{name} AS (\n{_indented(text)}\n)" for name, text in tables.items())
    return {name: f"WITH {shown}\n{query(name)}" for name in ANSWERS}


def _events(target: Target) -> str:
    columns = ",\n".join(f"  {text} AS {name}" for name, text in IN_ATHENA.items())
    wanted = ["eventid IS NOT NULL"]
    if target.earliest is not None:
        wanted.append(f"eventtime >= {literal(time_text(target.earliest))}")
        wanted.append(f"day >= {literal(f'{target.earliest:%Y/%m/%d}')}")
    if target.until is not None:
        last = (target.until + timedelta(days=1)).astimezone(UTC)
        wanted.append(f"eventtime < {literal(time_text(target.until))}")
        wanted.append(f"day <= {literal(f'{last:%Y/%m/%d}')}")
    return "\n".join(("SELECT", columns, f"FROM {TABLE}", "WHERE " + "\n  AND ".join(wanted)))


def script(location: str, target: Target) -> Iterator[str]:
    """Yield the lines of the whole: the table, then each query, with a semicolon behind it."""
    yield f"-- ekm usage --athena: {target.kms_arn}"
    yield f"-- {target.role_arn}, assumed by OpenAI's account {OPENAI_ACCOUNT}"
    yield "-- Run each statement by itself. Athena's sessions are in UTC."
    yield ""
    yield from f"{create_table(location, target)};".split("\n")
    for name, text in queries(target).items():
        yield ""
        yield f"-- {name}"
        yield from f"{text};".split("\n")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
