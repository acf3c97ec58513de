"""Runs a program: seconds, CPU seconds, peak memory, seconds until a file was first opened, and the JSON of the last line it prints."""
import ctypes
import json
import os
import select
import subprocess
import sys
import tempfile
import time

IN_OPEN = 0x20  # of inotify


def measured(command, watch=None, **environment):
    """`watch` is the file whose opening counts. Ends this program if that one fails."""
    inotify = ctypes.CDLL(None).inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch:
        ctypes.CDLL(None).inotify_add_watch(inotify, watch.encode(), IN_OPEN)
    with tempfile.TemporaryFile("w+") as output:
        start = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
        seen = watch and select.select([inotify], [], [], 60)[0]
        opened = time.monotonic() - start if seen else None
        _, child.returncode, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        output.seek(0)
        text = "\n" + output.read()
    os.close(inotify)
    if child.returncode:
        sys.exit(f"{' '.join(command)} failed: {child.returncode}")
    said = json.loads(text[text.rindex("\n{"):]) if "\n{" in text else {}
    return {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024, "opened": opened, "said": said}
