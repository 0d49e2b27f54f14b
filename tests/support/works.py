"""A dispatcher on a real store, without chat: jobs from small operations, a store that can be away for a moment."""

from datetime import UTC, datetime

from automation_bots.drivers.fake import Fake
from automation_bots.errors import StoreError
from automation_bots.jobs.dispatcher import Local
from automation_bots.jobs.run_context import RunContext
from automation_bots.jobs.throttle import Caps
from automation_bots.model import Caller, Device, Job, Operation, Parameter, Place, Risk, State
from automation_bots.operations import catalog
from automation_bots.policy.policy import load
from automation_bots.policy.scope import Scope
from automation_bots.redaction.redactor import Redactor
from automation_bots.store import Store
from tests.support.chatbot import wait, write_folder
from tests.support.world import expand

LOOK = Operation("look", "h", Risk.READ, driver="fake")
PATCH = Operation("patch", "h", Risk.CHANGE, driver="fake")
LOGIN = Operation("login", "h", Risk.READ, driver="fake", parameters=(Parameter("password", secret=True),))


WRITES = {"start", "finish", "add_outcomes", "cancel_queued", "mark_told", "holds"}


class Away:
    """A store of which these writes (True: all of them) fail while `away` says so."""

    def __init__(self, store):
        self.store, self.away = store, False

    def __getattr__(self, name):
        if name in (WRITES if self.away is True else self.away or ()):
            raise StoreError("the store is away")
        return getattr(self.store, name)


class Devices:
    """An inventory that knows whatever is asked for."""

    sources = ()

    def devices(self, names):
        return tuple(Device(name) for name in names)


class Works:
    """`add` puts a job into the store and queues it."""

    stop_seconds = 0.3

    def __init__(self, folder, *, caps=None):
        write_folder(folder)
        self.folder, self.fake, self.store = folder, Fake(), Away(Store.open(folder / "data", clock=self.now))
        self.operations = {operation.name: operation for operation in (LOOK, PATCH, LOGIN)}
        self.policy, self.pause = load(folder / "policy.yml"), ""
        self.redactor = Redactor()
        (folder / "runs").mkdir()
        self.dispatcher = Local(self._context(), lambda: caps or Caps())

    def _context(self):
        return RunContext(
            self.store, Devices(), {"fake": self.fake}, self.operations.get, self.scope, lambda: self.pause,
            self.redactor, 60, self.folder / "runs", self.stop_seconds, now=self.now,
        )  # fmt: skip

    def now(self):
        return datetime.now(UTC)

    def scope(self):
        return Scope(self.policy, expand)

    def stored(self, operation=LOOK, *devices, **values):
        stored = catalog.without_secrets(operation, values)
        return self.store.add_job(Job(
            number=0, state=State.QUEUED, person="ana", caller=Caller("test", "ana"), place=Place("test", "ops"),
            operation=operation.name, parameters=stored, pattern="", devices=devices, risk=operation.risk,
            drivers=("fake",), digest=catalog.digest(operation, stored, devices),
        ))  # fmt: skip

    def add(self, operation=LOOK, *devices, **values):
        job = self.stored(operation, *devices, **values)
        hidden = {key: value for key, value in values.items() if job.parameters[key] != value}
        self.why = self.dispatcher.submit(job, hidden)
        return job.number

    def is_in(self, number, state, seconds=10):
        wait(lambda: self.store.job(number).state is state, seconds, lambda: str(self.store.job(number)))
        return self.store.job(number)
