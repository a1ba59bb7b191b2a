"""What a page can subscribe to: rows by key, made from what is watched.

Belongs here: one file per topic, that says which watches it needs and what a row is. Does not
belong here: who looks (`reflect`, `viewers`), and how a watch goes on (`watches`).
"""

from __future__ import annotations

from fairlead_server.topics.base import Place, Topic
from fairlead_server.topics.context import ContextTopic
from fairlead_server.topics.objects import ObjectsTopic
from fairlead_server.topics.runs import RunsTopic
from fairlead_server.topics.training import TrainingTopic
from fairlead_server.topics.usage import UsageTopic

__all__ = [
    "ContextTopic",
    "ObjectsTopic",
    "Place",
    "RunsTopic",
    "Topic",
    "TrainingTopic",
    "UsageTopic",
]
