"""What the programs beside this file found, as TAP."""

import sys

number = 0
all_passed = True


def report(name, exceptions):
    """One test, which passed if there are no exceptions to what it states."""
    global number, all_passed
    number += 1
    exceptions = list(exceptions)
    print(f'{"not ok" if exceptions else "ok"} {number} - {name}')
    for exception in exceptions[:10]:
        print('# ' + str(exception).replace('\n', ' ')[:300])
    if exceptions:
        print(f'# {len(exceptions)} in all')
        all_passed = False


def finish():
    """The end of the program."""
    print(f'1..{number}')
    sys.exit(0 if all_passed else 1)
