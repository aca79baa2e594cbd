"""usage: who uses the key."""

from __future__ import annotations

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import verb

__all__ = ["usage_command"]

MOST_EVENTS = 1_000_000  # at two calls a second, three hours


@verb("usage", runs="usage:run", page="docs/operate/usage.md", extra="operate")
@options.argument(
    "sources",
    metavar="[SOURCE]...",
    nargs=-1,
    required=False,
    text="Log file of a trail, folder with such files, or s3://BUCKET/PREFIX.",
)
@click.option(
    "--lookup",
    is_flag=True,
    help="Ask CloudTrail for the events of the last 90 days: 50 a call, two calls a second.",
)
@click.option(
    "--max-events",
    type=click.IntRange(1, MOST_EVENTS),
    default=10_000,
    show_default=True,
    metavar="N",
    help="With --lookup: stop after so many events.",
)
@click.option("--since", metavar="TIME", help="Leave out what was before: a day, or a time in UTC.")
@click.option("--until", metavar="TIME", help="Leave out this time and what came after.")
@click.option(
    "--log-region",
    "log_regions",
    multiple=True,
    metavar="REGION",
    help="Read the logs of this Region alone; repeatable.  [default: every Region of the trail]",
)
@click.option(
    "--athena",
    metavar="s3://BUCKET/…/AWSLogs/",
    help="Print the table and the queries for Athena instead; read nothing.",
)
@options.place_options
@options.arn_options
@options.json_option
def usage_command() -> None:
    """Say who uses the key, since when, how often, and what failed, from the logs of a trail.

    The command tells OpenAI's calls from everybody else's by the AssumeRole that began each
    session, gives each failure AWS's code and whose it is to remedy, and lists who changed key and
    role. It changes nothing.

    The exit code is 0 if nobody other than OpenAI used key or role, and 1 if somebody did. It is 8
    if nobody is seen, and a log could not be read or a session's beginning is missing.

    \b
    Examples:
      ekm usage ./trail --from-terraform .
      ekm usage s3://my-trail --since 2026-11-01 --record ssm:/openai-ekm/prod
      ekm usage --lookup --max-events 2000 --from-terraform .
      ekm usage --athena s3://my-trail/AWSLogs/ --from-terraform .
    """
