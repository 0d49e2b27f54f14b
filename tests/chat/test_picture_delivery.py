"""A picture below a message: whatever fails between, one stands there in the end."""

import pytest

from automation_bots.chat.client import Away
from automation_bots.chat.delivery import PictureDelivery
from automation_bots.model import File, Place
from automation_bots.surface import MessageRef

MESSAGE = MessageRef(Place("test", "#net"), "m1")


class Network:
    """What stands in the thread; the calls that are named fail once."""

    def __init__(self, *fail, edits=False):
        self.fail, self.edits, self.standing = list(fail), edits, ["old"]

    def called(self, name):
        if name in self.fail:
            self.fail.remove(name)
            raise Away("503")

    def replace_file(self, _place, before, file):
        self.called("replace")
        if self.edits:
            self.standing[self.standing.index(before)] = file.name
        return self.edits

    def upload_new(self, place, file, _once):
        self.called("upload")
        self.standing.append(f"{place.thread}/{file.name}")
        return self.standing[-1]

    def take_back(self, _place, message):
        self.called("delete")
        self.standing.remove(message)


@pytest.mark.parametrize("fail", [(), ("upload",), ("delete",), ("upload", "delete")])
def test_a_try_that_failed_leaves_no_second_picture(fail):
    network = Network(*fail)
    send = PictureDelivery(network, MESSAGE, File("new.png", b""), lambda: "old")
    for _ in fail:
        with pytest.raises(Away):
            send()
    assert send() == "m1/new.png"
    assert network.standing == ["m1/new.png"]


def test_where_a_message_can_change_its_file_none_is_deleted():
    network = Network(edits=True)
    assert PictureDelivery(network, MESSAGE, File("new.png", b""), lambda: "old")() == "old"
    assert network.standing == ["new.png"]
