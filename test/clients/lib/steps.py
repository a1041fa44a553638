"""What the shops written in Python share: steps that print how they went, and eight tenants at the same time."""
import os
import sys
import threading
import traceback

tokens = os.environ["TOKENS"].split()
failed = False


def step(name):
    """Runs the function that it decorates, and prints whether that went well."""
    def run(function):
        global failed
        try:
            function()
            print("ok", name, flush=True)
        except Exception:
            failed = True
            print("FAILED", name)
            print(traceback.format_exc(), flush=True)
    return run


class TakenBack(Exception):
    """What a request raises to have all that it did taken back."""


def eight_tenants(place, visible):
    """Has eight threads place orders for a tenant each, 20 that stay, ten of them paid, and 5 that are taken back.

    place(token, user, is_paid, is_taken_back) places one in a transaction; visible(token) returns the tenants of all
    orders that can be seen.
    """
    problems = []

    def work(number, token):
        try:
            for i in range(25):
                try:
                    place(token, f"user_{number}", i % 5 in (0, 1), i % 5 == 4)
                except TakenBack:
                    pass
                seen = set(visible(token))
                if seen != {number}:
                    problems.append(f"tenant {number} sees the orders of {seen}")
        except Exception:
            problems.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=(i + 1, token)) for i, token in enumerate(tokens)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, "\n".join(problems)


def main(commands):
    """Runs the command that the command line names."""
    commands[sys.argv[1]]()
    sys.exit(failed)
