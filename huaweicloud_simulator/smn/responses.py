"""The API of SMN."""

from __future__ import annotations

from functools import partial

from ..gateway.routes import Api
from .models import State
from .publishing import publish
from .subscribing import add, cancel, list_of_project, list_of_topic
from .topics import FindProject, create, delete, delete_attribute, list_, list_attributes, set_attribute, show, update

_TOPICS = "v2/*/notifications/topics"
_SUBSCRIPTIONS = "v2/*/notifications/subscriptions"


def api(find: FindProject) -> Api[State]:
    """`find` gives the project of an id."""
    return Api(
        {
            f"POST {_TOPICS}": ("create_topic", lambda _, call: create(find, call)),
            f"GET {_TOPICS}": ("list_topics", lambda _, call: list_(find, call)),
            f"GET {_TOPICS}/*": ("show_topic", show),
            f"PUT {_TOPICS}/*": ("update_topic", update),
            f"DELETE {_TOPICS}/*": ("delete_topic", partial(delete, find)),
            f"POST {_TOPICS}/*/publish": ("publish", publish),
            f"GET {_TOPICS}/*/attributes": ("list_topic_attributes", list_attributes),
            f"PUT {_TOPICS}/*/attributes/*": ("update_topic_attribute", set_attribute),
            f"DELETE {_TOPICS}/*/attributes/*": ("delete_topic_attribute", delete_attribute),
            f"POST {_TOPICS}/*/subscriptions": ("add_subscription", add),
            f"GET {_TOPICS}/*/subscriptions": ("list_subscriptions_by_topic", list_of_topic),
            f"GET {_SUBSCRIPTIONS}": ("list_subscriptions", list_of_project),
            f"DELETE {_SUBSCRIPTIONS}/*": ("cancel_subscription", cancel),
        }
    )
