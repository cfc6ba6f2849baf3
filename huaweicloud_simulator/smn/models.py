"""Topics, their subscriptions, and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import uuid4

from ..clock import Clock


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message. `structure` is the text for each channel, None if all channels get `message`."""

    subject: str
    message: str | None
    structure: dict[str, str] | None
    attributes: Any
    message_id: str
    at: datetime
    body: dict[str, Any]

    def text_for(self, protocol: str) -> str:
        """What a subscriber with this protocol receives (A2)."""
        if self.structure is None:
            return self.message or ""
        return self.structure.get(protocol, self.structure["default"])


class Status(IntEnum):
    """Of a subscription (deploy.md 2)."""

    UNCONFIRMED = 0
    CONFIRMED = 1
    CANCELLED = 3


@dataclass(slots=True)
class Subscription:
    urn: str
    topic_urn: str
    protocol: str
    endpoint: str
    remark: str = ""
    status: Status = Status.UNCONFIRMED


@dataclass(slots=True)
class Topic:
    urn: str
    messages: list[Message] = field(default_factory=list)
    display_name: str = ""
    enterprise_project: str = "0"
    subscriptions: list[Subscription] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)  # access_policy, introduction
    created: datetime | None = None

    @property
    def name(self) -> str:
        return self.urn.rpartition(":")[2]

    @property
    def project_id(self) -> str:
        return self.urn.split(":")[3]

    def subscribe(self, protocol: str, endpoint: str, remark: str = "") -> Subscription:
        """Gets or creates a subscription. Who asked for one is mailed a link first; a function needs none (deploy.md 2)."""
        found = self.subscription(protocol, endpoint)
        if found is None:
            status = Status.CONFIRMED if protocol == "functionstage" else Status.UNCONFIRMED
            found = Subscription(f"{self.urn}:{uuid4().hex}", self.urn, protocol, endpoint, remark, status)
            self.subscriptions.append(found)
        return found

    def subscription(self, protocol: str, endpoint: str) -> Subscription | None:
        return next((one for one in self.subscriptions if (one.protocol, one.endpoint) == (protocol, endpoint)), None)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a confirmed subscriber received."""

    protocol: str
    endpoint: str
    topic_urn: str
    subject: str
    text: str
    message_id: str
    at: datetime


Topics = Callable[[], Iterable[Topic]]
Accept = Callable[[str, Any], None]  # takes a function's URN and the event for it


class State:
    """All topics, and `outbox`: what left the cloud by mail, SMS or HTTP, in order."""

    def __init__(self, clock: Clock, topics: Topics, accept: Accept) -> None:
        self.clock, self.topics, self._accept = clock, topics, accept
        self.outbox: list[Delivery] = []

    def topic(self, urn: str) -> Topic | None:
        return next((topic for topic in self.topics() if topic.urn == urn), None)

    def subscription(self, urn: str) -> Subscription | None:
        return next((one for topic in self.topics() for one in topic.subscriptions if one.urn == urn), None)

    def publish(self, topic: Topic, message: Message) -> None:
        """Stores the message, and delivers it to confirmed subscribers. A function receives it as an event (A6)."""
        topic.messages.append(message)
        for one in topic.subscriptions:
            if one.status is not Status.CONFIRMED:
                continue
            text = message.text_for(one.protocol)
            if one.protocol == "functionstage":
                self._accept(one.endpoint, _event(one.endpoint, topic, message, text))
            else:
                self.outbox.append(
                    Delivery(one.protocol, one.endpoint, topic.urn, message.subject, text, message.message_id, message.at)
                )

    def send(self, topic: Topic, subject: str, text: str) -> Message:
        """Publishes a text, as a person on the console or another service does."""
        message = Message(subject, text, None, None, uuid4().hex, self.clock.now(), {"subject": subject, "message": text})
        self.publish(topic, message)
        return message


def _event(endpoint: str, topic: Topic, message: Message, text: str) -> Mapping[str, Any]:
    smn = {
        "type": "notification",
        "topic_urn": topic.urn,
        "message_id": message.message_id,
        "timestamp": message.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subject": message.subject,
        "message": text,
        "message_attributes": message.attributes,
    }
    record = {"event_version": "1.0", "event_source": "smn", "event_subscription_urn": endpoint, "smn": smn}
    return {"record": [record]}
