"""A look at the record changes nothing of it, and goes beside a running bot."""

from automation_bots.store import inspection


def test_where_no_record_is_there_is_no_version(url):
    assert inspection.look(url).version == ""


def test_a_record_is_looked_at_beside_the_bot_that_writes_it(store, url, job):
    store.add_job(job())
    found = inspection.look(url)
    assert (found.version, found.jobs) == (inspection.NEEDED, 1)
