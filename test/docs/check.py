"""Checks of the documentation against the installed extension."""

import contextlib
import os
import re
import subprocess

import tap


def psql(database, sql):
    """Run SQL; returns the rows as lists of strings."""
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\x1f",
                           "-R", "\x1e", "-v", "ON_ERROR_STOP=1",
                           "-d", database],
                          input=sql, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    text = done.stdout.rstrip("\n\x1e")
    return [row.split("\x1f") for row in text.split("\x1e")] if text else []


@contextlib.contextmanager
def scratch_database():
    """A fresh database, dropped afterwards with the roles made meanwhile."""
    name = f"pg_topic_docs_{os.getpid()}"
    roles = {row[0] for row in psql("postgres", "SELECT rolname FROM pg_roles;")}
    subprocess.run(["createdb", "-T", "template0", "-E", "UTF8", "--locale=C",
                    name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["dropdb", "--force", name], check=True)
        for (role,) in psql("postgres", "SELECT rolname FROM pg_roles;"):
            if role not in roles:
                psql("postgres", f'DROP ROLE "{role}";')


# The reference.
#
# A heading "### `name`" opens the section of an object, and a row of a table
# in it whose first cell is `x` describes argument or column x: the second cell
# its type, and, of arguments, the third its default.

def read_sections(path):
    sections = {}
    body = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("#"):
            body = []
            for name in re.findall(r"`([^`]+)`", line):
                sections[name] = body
        body.append(line)
    return sections


def table_rows(section):
    rows = {}
    for line in section:
        match = re.match(r"^\| `(\w+)` \|", line)
        if match:
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            rows.setdefault(match.group(1), []).append(cells)
    return rows


FUNCTIONS = r"""
SELECT p.proname, a.name, pg_catalog.format_type(a.type, NULL),
    a.mode IN ('i', 'v'),
    CASE WHEN a.mode = 'i' THEN
        pg_catalog.pg_get_function_arg_default(p.oid, a.number::int) END
FROM pg_catalog.pg_proc p
CROSS JOIN LATERAL ROWS FROM (
    unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])),
    unnest(COALESCE(p.proargmodes, array_fill('i'::"char", ARRAY[p.pronargs::int]))),
    unnest(p.proargnames))
    WITH ORDINALITY a(type, mode, name, number)
WHERE p.pronamespace = 'topic'::regnamespace
ORDER BY 1;
"""

RELATIONS = """
SELECT n.nspname || '.' || c.relname, a.attname,
    pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'topic'::regnamespace AND c.relkind IN ('r', 'v', 'c')
AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, a.attnum;
"""

OTHERS = """
SELECT evtname FROM pg_catalog.pg_event_trigger
UNION ALL SELECT fdwname FROM pg_catalog.pg_foreign_data_wrapper
UNION ALL SELECT 'topic.' || proname FROM pg_catalog.pg_proc
WHERE pronamespace = 'topic'::regnamespace
UNION SELECT nspname FROM pg_catalog.pg_namespace
WHERE nspname LIKE 'topic%'
UNION ALL SELECT name FROM pg_catalog.pg_settings WHERE name LIKE 'pg_topic.%';
"""


def check_functions(database, sections):
    complaints = []
    defaults = {}
    for name, argument, type_name, is_input, default in psql(database, FUNCTIONS):
        section = sections.get("topic." + name)
        if section is None:
            continue
        rows = table_rows(section).get(argument)
        if rows is None:
            complaints.append(f"topic.{name}: no row for {argument}")
        elif not any(type_name in row[1] for row in rows):
            complaints.append(f"topic.{name}: {argument} is of type {type_name}")
        elif is_input == "t":
            default = re.sub(r"::[\w ]+(\[\])?$", "", default)
            defaults.setdefault((name, argument), (rows, set()))[1].add(default)
    for (name, argument), (rows, values) in defaults.items():
        values.discard("")
        wanted = values or {"required"}
        if not any(all(value in row[2] for value in wanted) for row in rows):
            complaints.append(f"topic.{name}: the default of {argument} is "
                              + ", ".join(sorted(wanted)))
    tap.result(not complaints, "docs/reference.md has every argument",
               "\n".join(complaints))


def check_columns(database, sections, name, query):
    complaints = []
    for relation, column, type_name in psql(database, query):
        rows = table_rows(sections.get(relation, [])).get(column)
        if rows is None:
            complaints.append(f"{relation}: no row for {column}")
        elif not any(type_name in row[1] for row in rows):
            complaints.append(f"{relation}: {column} is of type {type_name}")
    tap.result(not complaints, name, "\n".join(complaints))


def sqlstates(root):
    """The SQLSTATEs that the source mentions, by name."""
    include = subprocess.run(["pg_config", "--includedir-server"],
                             capture_output=True, encoding="utf-8").stdout.strip()
    try:
        with open(include + "/utils/errcodes.h", encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return None
    text += (root / "src/errors.h").read_text(encoding="utf-8")
    codes = {name: "".join(re.findall(r"'(.)'", chars)) for name, chars in
             re.findall(r"(ERRCODE_\w+)\s+MAKE_SQLSTATE\(([^)]*)\)", text)}
    used = set()
    for path in sorted((root / "src").glob("*.c")):
        used |= set(re.findall(r"ERRCODE_\w+", path.read_text(encoding="utf-8")))
    return {name: codes[name] for name in used if name in codes}


def check_reference(database, root):
    path = root / "docs/reference.md"
    sections = read_sections(path)
    psql(database, """CREATE EXTENSION pg_topic;
        SELECT topic.create_topic('text');
        SELECT topic.create_topic('json', value_format => 'json');
        SELECT topic.create_topic('bytes', value_format => 'bytes');""")
    psql(database, "DISCARD ALL;")

    missing = [row[0] for row in psql(database, OTHERS) if row[0] not in sections]
    tap.result(not missing, "docs/reference.md has every object",
               "no heading: " + ", ".join(missing))
    check_functions(database, sections)
    check_columns(database, sections, "docs/reference.md has every column",
                  RELATIONS)
    check_columns(database, sections, "docs/reference.md has the columns of topics", """
        SELECT 'topics.<topic>', attname, format_type(atttypid, atttypmod)
        FROM pg_attribute WHERE attrelid::regclass::text ~ '^topics\\.'
        AND attnum > 0;""")

    text = path.read_text(encoding="utf-8")
    unknown = sorted(set(re.findall(r"\b(topic\.\w+)\(", text))
                     - {row[0] for row in psql(database, OTHERS)})
    tap.result(not unknown, "docs/reference.md has no function that is not there",
               ", ".join(unknown))

    codes = sqlstates(root)
    if codes is not None:
        absent = sorted(f"{code} {name}" for name, code in codes.items()
                        if f"| `{code}` |" not in text)
        tap.result(not absent, "docs/reference.md has every error code",
                   "\n".join(absent))


COMMENTS = """
WITH objects(object, comment) AS (
    SELECT 'function ' || p.oid::regprocedure, obj_description(p.oid, 'pg_proc')
    FROM pg_proc p WHERE p.pronamespace = 'topic'::regnamespace
    UNION ALL
    SELECT 'relation ' || c.oid::regclass, obj_description(c.oid, 'pg_class')
    FROM pg_class c WHERE c.relnamespace = 'topic'::regnamespace
    AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT 'type ' || t.oid::regtype, obj_description(t.oid, 'pg_type')
    FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
    WHERE t.typnamespace = 'topic'::regnamespace
    UNION ALL
    SELECT 'column ' || c.oid::regclass || '.' || a.attname,
        col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'topic'::regnamespace AND c.relkind IN ('r', 'v', 'c')
    AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'schema ' || nspname, obj_description(oid, 'pg_namespace')
    FROM pg_namespace WHERE nspname LIKE 'topic%'
    UNION ALL
    SELECT 'event trigger ' || evtname, obj_description(oid, 'pg_event_trigger')
    FROM pg_event_trigger
    UNION ALL
    SELECT 'foreign-data wrapper ' || fdwname,
        obj_description(oid, 'pg_foreign_data_wrapper')
    FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT 'server ' || srvname, obj_description(oid, 'pg_foreign_server')
    FROM pg_foreign_server)
SELECT object FROM objects WHERE COALESCE(comment, '') = '' ORDER BY 1;
"""


def check_comments(database):
    bare = [row[0] for row in psql(database, COMMENTS)]
    tap.result(not bare, "every object has a comment", "\n".join(bare))
