"""One test of the monitoring, from its queue to the message, and what removes all that it made.

The run notes each thing before it asks AWS to make it. So a lost answer, an interruption and a
defect leave nothing behind that the run does not remove or name.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from openai_ekm.arns import region_of
from openai_ekm.drill.runner import Signals
from openai_ekm.errors import AwsRefused, EkmError
from openai_ekm.monitoring.message import TAG, Arrival, find_arrival

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.monitoring.aws import Aws

__all__ = ["QUEUE_PREFIX", "Left", "Order", "Outcome", "carry_out"]

QUEUE_PREFIX: Final = "openai-ekm-monitor-test-"
_LOOK: Final = 10  # seconds of one call that waits for messages; AWS takes up to 20


@dataclass(frozen=True, slots=True)
class Order:
    """The key, the topics and the limits of one test.

    Args:
        key_arn: ARN of the key, never of an alias.
        topics: ARNs of the topics to listen to.
        id: Names this test: the value of the tag, and the end of the queue's name.
        wait: Seconds, at most, for the message.
    """

    key_arn: str
    topics: tuple[str, ...]
    id: str
    wait: float

    @property
    def queue(self) -> str:
        """Return the name of the queue."""
        return f"{QUEUE_PREFIX}{self.id}"


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a test made and could not remove.

    Args:
        what: It, with its name.
        command: The command that removes it.
        why: What came of the try to remove it.
    """

    what: str
    command: str
    why: str


@dataclass(slots=True)
class Outcome:
    """The end of a test.

    Attributes:
        arrival: The message; None where it was not seen.
        seconds: From the tag to the message.
        tagged: Whether AWS was asked to tag the key.
        interrupted: Whether somebody asked the run to stop.
        error: What stood in the way.
        left: What could not be removed.
    """

    arrival: Arrival | None = None
    seconds: float | None = None
    tagged: bool = False
    interrupted: bool = False
    error: EkmError | None = None
    left: tuple[Left, ...] = ()


@dataclass(slots=True)
class _Made:
    """Something that may be there now: what removes it, and the command that does so by hand."""

    what: str
    remove: Callable[[], None]
    command: str


@dataclass(slots=True)
class _Test:
    order: Order
    aws: Aws
    signals: Signals
    say: Callable[[str], None]
    outcome: Outcome = field(default_factory=Outcome)
    made: list[_Made] = field(default_factory=list)

    def run(self) -> None:
        """Make the queue, subscribe it, tag and untag the key, and wait for the message."""
        order = self.order
        url = self._make_queue()
        for topic in order.topics:
            self._subscribe(topic)
        start = self._tag()
        self.say(f"Waiting up to {order.wait:g} s for the message. AWS takes minutes as a rule.")
        deadline, topics = start + order.wait, frozenset(order.topics)
        while (remaining := deadline - time.monotonic()) > 0:
            with self.signals.opened():
                bodies = self.aws.receive(url, max(1, min(_LOOK, int(remaining))))
            for body in bodies:
                self.outcome.arrival = find_arrival(body, topics, order.id)
                if self.outcome.arrival is not None:
                    self.outcome.seconds = time.monotonic() - start
                    return

    def _make_queue(self) -> str:
        region, name = region_of(self.order.key_arn), self.order.queue
        found = (
            f"aws sqs get-queue-url --region {region} --queue-name {name} "
            "--query QueueUrl --output text"
        )
        urls: list[str] = []
        made = _Made(
            f"the queue {name}",
            lambda: self.aws.delete_queue(name, urls[0] if urls else None),
            f'aws sqs delete-queue --region {region} --queue-url "$({found})"',
        )
        self.say(f"Making the queue {name}.")
        self._make(made, lambda: urls.append(self.aws.create_queue(name, self.order.topics)))
        return urls[0]

    def _subscribe(self, topic: str) -> None:
        queue, region = self.aws.queue_arn(self.order.queue), region_of(topic)
        found = (
            f"aws sns list-subscriptions-by-topic --region {region} --topic-arn {topic} --query "
            f"\"Subscriptions[?Endpoint=='{queue}'].SubscriptionArn\" --output text"
        )
        arns: list[str] = []

        def remove() -> None:
            arn = arns[0] if arns else self.aws.find_subscription(topic, queue)
            if arn is not None:
                self.aws.unsubscribe(arn)

        made = _Made(
            f"the subscription of {queue} to {topic}",
            remove,
            f'aws sns unsubscribe --region {region} --subscription-arn "$({found})"',
        )
        self.say(f"Subscribing it to {topic}.")
        self._make(made, lambda: arns.append(self.aws.subscribe(topic, queue)))

    def _tag(self) -> float:
        """Tag and untag the key; return when the tag was set.

        The tag is gone after a moment: its event is what counts, and is made by then.
        """
        order = self.order
        made = _Made(
            f"the tag {TAG} of {order.key_arn}",
            lambda: self.aws.untag(order.key_arn),
            f"aws kms untag-resource --region {region_of(order.key_arn)} "
            f"--key-id {order.key_arn} --tag-keys {TAG}",
        )
        self.say(f"Tagging the key: {TAG} = {order.id}.")
        self.outcome.tagged = True
        self._make(made, lambda: self.aws.tag(order.key_arn, order.id))
        start = time.monotonic()
        self.say("Untagging the key.")
        self.aws.untag(order.key_arn)
        self.made.remove(made)
        return start

    def _make(self, made: _Made, make: Callable[[], None]) -> None:
        """Note what may be there from now on, and make it.

        A refusal of AWS says that it is not there. Signals wait until AWS has answered.
        """
        self.made.append(made)
        try:
            make()
        except AwsRefused:
            self.made.remove(made)
            raise
        with self.signals.opened():
            return

    def remove(self) -> tuple[Left, ...]:
        """Remove what was made, the last first; return what could not be removed."""
        left = []
        while self.made:
            made = self.made.pop()
            self.say(f"Removing {made.what}.")
            try:
                made.remove()
            except Exception as failure:  # noqa: BLE001 - the rest is removed all the same
                left.append(Left(made.what, made.command, str(failure)))
        return tuple(left)


def carry_out(order: Order, aws: Aws, *, say: Callable[[str], None]) -> Outcome:
    """Test the monitoring, and remove what that made, however it ends.

    Args:
        order: What is tested.
        aws: The account.
        say: Takes a line for stderr; it raises nothing.

    Returns:
        What came of it; an error and an interruption are in it.
    """
    test = _Test(order, aws, Signals(say, stops="as soon as everything is removed"), say)
    with test.signals.handled():
        try:
            test.run()
        except EkmError as failure:
            test.outcome.error = failure
        except KeyboardInterrupt:
            test.outcome.interrupted = True
        finally:
            test.outcome.left = test.remove()
            for each in test.outcome.left:
                say(f"Not removed: {each.what}. Remove it: {each.command}")
    return test.outcome
