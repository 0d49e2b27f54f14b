"""Errbot's flows, whose steps Errbot calls by itself in a pool of its own."""

from errbot import BotFlow, FlowRoot, botflow


def always(_context):
    return True


class OutsideFlows(BotFlow):
    """Wipes without being asked again."""

    @botflow
    def wiping(self, flow: FlowRoot):
        """Wipe once started."""
        flow.connect("wipe", predicate=always)

    @botflow
    def room_wiping(self, flow: FlowRoot):
        """Wipe in the name of a whole room."""
        flow.connect("wipe", predicate=always, room_flow=True)

    @botflow
    def following(self, flow: FlowRoot):
        """Wipe as soon as somebody has used another command."""
        flow.connect("through", auto_trigger=True).connect("wipe", predicate=always)
