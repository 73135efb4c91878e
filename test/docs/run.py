"""Run the SQL and the Python of the documentation.

Every ```sql block of README.md and docs/*.md is run by psql, in the order of
the file, each file in a database of its own.  A block must end its last
statement.  Conventions:

    ```sql              must run without an error
    ```sql error=55000  must fail, once, with this SQLSTATE
    -- session b        as a block's first line: it runs in another session,
                        which stays open to the end of the file
    ```sql within=10    runs again until its output is right, for so many
                        seconds
    ```text             directly after a ```sql block: the output of psql, to
                        the letter but for blanks at the ends of lines
    ```python           a program of its own, which must exit with 0
    ```python forever   must go on to the end of the file, and is ended then
    ```go file=PATH     in any language: lines of that file, not run here

Blocks in other languages, and text that follows prose, are not looked at.
A block that fails ends its file, as ON_ERROR_STOP would.

With --write, the ```text blocks are rewritten with what came out: read the
difference before you believe it.

With no files named, two checks follow: docs/reference.md names every object
of the extension with its arguments and columns, and every object has a
COMMENT.  They live in check.py.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import check     # noqa: E402
import tap       # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]

FENCE = re.compile(r"^```(\w*)\s*(.*)$")
OPTIONS = {"error", "within", "forever", "file"}
SESSION = re.compile(r"-- session (\w+)(?::|$)")


class Block:
    """A fenced block: lines first..last (exclusive) are its content."""

    def __init__(self, language, options, first, last, lines):
        self.language = language
        self.options = dict(o.partition("=")[::2] for o in options.split())
        if not OPTIONS.issuperset(self.options):
            raise ValueError(f"line {first}: there is no such option: {options}")
        self.first = first
        self.last = last
        self.lines = lines

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def session(self):
        """The session that a reader is told to run it in; "" is the page's own."""
        first = self.lines[0] if self.lines else ""
        named = SESSION.match(first)
        if not named and first.startswith("-- session"):
            raise ValueError(f"line {self.first + 1}: which session?")
        return named.group(1) if named else ""


def read_blocks(lines):
    """The fenced blocks of a Markdown file, in order."""
    blocks = []
    start = None
    for number, line in enumerate(lines):
        if re.match(r"^\s+```(sql|python)", line):
            raise ValueError(f"line {number + 1}: an indented block would not be run")
        match = FENCE.match(line)
        if start is None and match:
            start = (match.group(1), match.group(2), number + 1)
        elif start is not None and line == "```":
            language, options, first = start
            if language not in ("sql", "python") and not options.startswith("file="):
                options = ""
            blocks.append(Block(language, options, first, number,
                                lines[first:number]))
            start = None
    if start is not None:
        raise ValueError(f"line {start[2]}: the block does not end")
    return blocks


def expected_output(blocks, index, lines):
    """The ```text block directly after this one, or None."""
    if index + 1 == len(blocks) or blocks[index + 1].language != "text":
        return None
    between = lines[blocks[index].last + 1:blocks[index + 1].first - 1]
    return None if any(line.strip() for line in between) else blocks[index + 1]


def normalize(text):
    """Without blanks at the ends of lines and empty lines at the end."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


class Session:
    """A psql process."""

    def __init__(self, database):
        environment = dict(os.environ, PGTZ="UTC", PGDATESTYLE="ISO",
                           PGAPPNAME="psql", LC_ALL="C",
                           PGOPTIONS="-c lc_messages=C -c statement_timeout=60s")
        self.mark = uuid.uuid4().hex
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-P", "pager=off", "-d", database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment, encoding="utf-8")

    def run(self, sql):
        """Run a block; returns its output and the last error's SQLSTATE."""
        self.psql.stdin.write("\\set LAST_ERROR_SQLSTATE 00000\n" + sql + "\n"
                              f"\\echo {self.mark} :LAST_ERROR_SQLSTATE\n")
        self.psql.stdin.flush()
        output = []
        for line in self.psql.stdout:
            if line.startswith(self.mark):
                return "".join(output), line.split()[1]
            output.append(line)
        return "".join(output) + "psql ended", "08006"

    def close(self):
        self.psql.stdin.close()
        self.psql.stdout.read()
        self.psql.wait()


class Program:
    """A Python program, running."""

    def __init__(self, block, name, database):
        self.name = name
        self.forever = "forever" in block.options
        self.output = tempfile.TemporaryFile(mode="w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", block.text], stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=subprocess.STDOUT,
            env=dict(os.environ, PGDATABASE=database))

    def end(self):
        """Report whether the program did what it should."""
        complaint = ""
        try:
            status = self.process.wait(0 if self.forever else 60)
            if self.forever or status != 0:
                complaint = f"it ended with status {status}"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            if not self.forever:
                complaint = "it does not end"
        self.output.seek(0)
        tap.result(not complaint, self.name,
                   complaint + "\n" + self.output.read())
        return not complaint


def statement_is_open(block):
    code = [line for line in block.lines
            if line.strip() and not line.strip().startswith("--")]
    return not code or not (code[-1].split(" --")[0].rstrip().endswith(";")
                            or code[-1].startswith("\\"))


def run_block(session, block, expected):
    """Run one block.  Returns its output and the list of complaints."""
    if statement_is_open(block):
        return "", ["the block does not end its last statement"]
    deadline = time.monotonic() + int(block.options.get("within", 0))
    while True:
        output, sqlstate = session.run(block.text)
        if not expected or normalize(output) == normalize(expected.text) \
                or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    errors = len(re.findall(r"^(?:ERROR|FATAL|PANIC):", output, re.M))
    wanted = block.options.get("error")
    complaints = []
    if wanted is None and errors > 0:
        complaints.append(f"it failed with {sqlstate}")
    elif wanted is not None and (errors != 1 or sqlstate != wanted):
        complaints.append(f"it should fail once with {wanted}, but there were "
                          f"{errors} errors, the last one {sqlstate}")
    if expected and normalize(output) != normalize(expected.text):
        complaints.append("the output is not that of the text block")
    return output, complaints


def run_file(path, database, rewrite):
    """Run the blocks of a file.  Returns its lines with the actual output."""
    lines = path.read_text(encoding="utf-8").split("\n")
    result = list(lines)
    blocks = read_blocks(lines)
    sessions = {}
    programs = []
    replacements = []
    for index, block in enumerate(blocks):
        if "file" in block.options:
            check_quotation(block, path)
            continue
        if block.language == "python":
            program = Program(block, f"{path.relative_to(ROOT)} line {block.first}",
                              database)
            if program.forever:
                programs.append(program)
            elif not program.end():
                break
        if block.language != "sql":
            continue
        if block.session not in sessions:
            sessions[block.session] = Session(database)
        expected = expected_output(blocks, index, lines)
        output, complaints = run_block(sessions[block.session], block, expected)
        if rewrite and expected:
            replacements.append((expected, normalize(output).split("\n")))
            complaints = [c for c in complaints if "text block" not in c]
        tap.result(not complaints,
                   f"{path.relative_to(ROOT)} line {block.first}",
                   "\n".join(complaints) + "\n" + output)
        if complaints:
            break
    for program in programs:
        program.end()
    for session in sessions.values():
        session.close()
    for block, output in reversed(replacements):
        result[block.first:block.last] = output
    return "\n".join(result)


def check_quotation(block, path):
    """The block is a passage of the file that it names."""
    quoted = ROOT / block.options["file"]
    tap.result(f"\n{block.text}\n" in quoted.read_text(encoding="utf-8"),
               f"{path.relative_to(ROOT)} line {block.first}",
               f"these are no lines of {block.options['file']}")


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"),
                  flags=re.DOTALL | re.MULTILINE)
    seen = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        heading = re.sub(r"\]\([^)]*\)", "", heading)
        seen.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return seen


def check_links(path):
    """Relative links of a page lead to files that exist, and their headings."""
    broken = []
    for link in re.findall(r"\]\(([^):]+)\)", path.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        target = path.parent / target if target else path
        if not target.exists() or anchor and anchor not in anchors(target):
            broken.append(link)
    tap.result(not broken, f"{path.relative_to(ROOT)} links",
               "they lead nowhere: " + ", ".join(broken))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    files = [f.resolve() for f in arguments.files] or \
        [ROOT / "README.md"] + sorted((ROOT / "docs").glob("*.md"))

    for path in files:
        with check.scratch_database() as database:
            text = run_file(path, database, arguments.write)
        if arguments.write:
            path.write_text(text, encoding="utf-8")
        check_links(path)
    if not arguments.files:
        with check.scratch_database() as database:
            check.check_reference(database, ROOT)
            check.check_comments(database)
    tap.finish()


main()
