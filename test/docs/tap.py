"""Test results in the Test Anything Protocol."""

count = 0
failures = 0


def result(ok, name, diagnosis=""):
    global count, failures
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {name}", flush=True)
    if not ok:
        failures += 1
        for line in diagnosis.strip("\n").split("\n"):
            print("# " + line, flush=True)


def done():
    """The plan; returns the exit code."""
    print(f"1..{count}", flush=True)
    return 1 if failures or count == 0 else 0
