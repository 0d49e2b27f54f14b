"""Many threads do not mean many heaps, each of which keeps what it once needed."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # starts programs

THREADS = """
import ctypes, sys, threading
from automation_bots.app import process
if sys.argv[1:]:
    process.share_heaps()
libc, gate = ctypes.CDLL(None), threading.Barrier(20)
libc.malloc.restype = ctypes.c_void_p
ended = []
def work():
    gate.wait()
    ended.append(libc.malloc(1000))
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
file = libc.fopen
file.restype = ctypes.c_void_p
out = file(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fclose(ctypes.c_void_p(out))
"""


def heaps(*words):
    done = subprocess.run([sys.executable, "-c", THREADS, *words], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another libc has other heaps")
def test_all_threads_share_two_heaps():
    assert heaps("share") <= 2 < heaps()
