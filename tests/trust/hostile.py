#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A command that does not behave: hostile.py MODE MARK. MARK is there to be found in /proc."""
import os
import signal
import sys
import time


def for_ever():
    while True:
        time.sleep(1000)


def daemon():
    """Two forks and a session of its own between them. Returns in the first process."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for_ever()


def ignore_term():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for_ever()


def setsid():
    if os.fork() == 0:
        os.setsid()
        for_ever()


def own_group():
    if os.fork() == 0:
        os.setpgid(0, 0)
        for_ever()


def hold_output():
    print("before", flush=True)
    if os.fork() == 0:
        os.setsid()
        for_ever()


def hold_output_and_ignore():
    if os.fork() == 0:
        os.setsid()
        ignore_term()


def flood():
    block = b"".join(b"line %d of a flood\n" % i for i in range(4000))
    for _ in range(700):
        os.write(1, block)


def flood_for_ever():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    block = b"x" * 65536
    while True:
        os.write(1, block)


def one_long_line():
    for _ in range(400):
        os.write(1, b"y" * 65536)


def stop_self():
    os.kill(os.getpid(), signal.SIGSTOP)
    for_ever()


def stop_for_ever():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)


def stopped_daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.kill(os.getpid(), signal.SIGSTOP)
        for_ever()


def close_output():
    os.close(0)
    os.close(1)
    os.close(2)
    for_ever()


def close_output_and_end():
    os.close(1)
    os.close(2)


def fork_again_and_again():
    """A chain: each forks the next in a session of its own and ends; it is never where one looks."""
    if os.fork():
        return
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.002)


def many_children():
    for _ in range(40):
        daemon()
        setsid()


def many_that_ignore():
    for _ in range(10):
        if os.fork() == 0:
            os.setsid()
            ignore_term()
    for_ever()


def killed():
    setsid()
    os.kill(os.getpid(), signal.SIGKILL)


def kill_the_group():
    setsid()
    os.killpg(0, signal.SIGTERM)
    time.sleep(60)


def without_environment():
    """Nobody can tell by its environment whose it is."""
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.execve(sys.executable, [sys.executable, __file__, "for-ever", sys.argv[2]], {})


if __name__ == "__main__":
    globals()[sys.argv[1].replace("-", "_")]()
    sys.stdout.flush()
    os._exit(0)
