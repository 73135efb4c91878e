"""What a program has found, in the Test Anything Protocol.

Programs in the directories beside this file import it by

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
"""

import sys

count = 0
failures = 0


def result(passed, name, diagnosis=''):
    """One test; the diagnosis says why it did not pass."""
    global count, failures
    count += 1
    failures += not passed
    print(f'{"ok" if passed else "not ok"} {count} - {name}', flush=True)
    if not passed and diagnosis:
        note(diagnosis)


def note(text):
    """What is worth knowing beside."""
    for line in text.strip('\n').split('\n'):
        print('# ' + line, flush=True)


def check(got, expected, name):
    """A test that passed if it is what was expected."""
    result(got == expected, name, f'got {got!r}\nexpected {expected!r}')


def report(name, exceptions):
    """A test that passed if there are no exceptions to what it states."""
    exceptions = [str(exception).replace('\n', ' ')[:300] for exception in exceptions]
    result(not exceptions, name, '\n'.join([*exceptions[:10], f'{len(exceptions)} in all']))


def finish():
    """The end of the program, which has failed if a test has, or if there was none."""
    print(f'1..{count}', flush=True)
    sys.exit(1 if failures or count == 0 else 0)
