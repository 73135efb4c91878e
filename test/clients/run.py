#!/usr/bin/python3
"""Run the programs of examples/ with failures, and check what came of it.

    run.py [--pooled] CLIENT        one of those in COMMANDS

Connects by the environment (PGHOST, ...) to a database that is empty.  With
--pooled, the programs connect through a pgbouncer in transaction mode.

- calls: what it produced is what it was given.
- produce: the log is the file.
- worker: the sink is the log, each record once and in order; though its
  transaction fails with 40001, its server process is terminated and it is
  killed with SIGKILL, each time between its write and its commit; though two of
  them get into each other's way; and though 55P03 keeps them from the group.
"""
import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FLIGHTS = (ROOT / "demo" / "flights-20k.jsonl").read_text(encoding="utf-8").splitlines(True)
NAME = "it's \"alice\" \\ \u20ac"
UUID = "0190163d-8694-739b-aea5-966c26f8ad91"
PORT = os.environ.get("PGPORT", "5432")
PROGRAMS = ("calls", "produce", "worker")
JDBC = "/usr/share/java/postgresql.jar"


# How to run a client's programs: for "calls", "produce" and "worker" a command.
# That of calls is to be followed by a name.  The directory is for what has to
# be compiled, the sockets are where the server, or the pooler, listens.

def psql_commands(_directory, _sockets, _pooled):
    psql = ["psql", "-X", "-q", "-f"]
    return {"calls": psql + [EXAMPLES / "psql/calls.sql", "-v"],
            "produce": psql + [EXAMPLES / "psql/produce.sql"],
            "worker": [EXAMPLES / "psql/worker.sh"]}


def psycopg2_commands(_directory, _sockets, _pooled):
    return {program: [sys.executable, EXAMPLES / f"python/psycopg2_{program}.py"] for program in PROGRAMS}


def psycopg_commands(_directory, _sockets, _pooled):
    return {program: [sys.executable, EXAMPLES / f"python/{program}.py"] for program in PROGRAMS}


def node_commands(_directory, _sockets, _pooled):
    os.environ["NODE_PATH"] = "/usr/share/nodejs"
    return {program: ["node", EXAMPLES / f"node/{program}.js"] for program in PROGRAMS}


def java_commands(directory, sockets, pooled):
    sources = [*EXAMPLES.glob("java/*.java"), *ROOT.glob("test/clients/*.java")]
    subprocess.run(["javac", "-d", directory, *sources], check=True)
    url = (f"jdbc:postgresql://localhost/{os.environ['PGDATABASE']}"
           f"?user={os.environ['PGUSER']}&sslmode=disable&socketFactory=UnixSocketFactory"
           f"&socketFactoryArg={sockets}/.s.PGSQL.{PORT}")
    if pooled:
        url += "&prepareThreshold=0"
    # These options make it start sooner.
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{directory}:{JDBC}"]
    return {program: java + [program.capitalize(), url] for program in PROGRAMS}


def go_commands(directory, _sockets, pooled):
    environment = dict(os.environ, GOPATH="/usr/share/gocode", GO111MODULE="off",
                       GOCACHE=f"{tempfile.gettempdir()}/go-cache")
    for program in PROGRAMS:
        subprocess.run(["go", "build", "-o", directory, EXAMPLES / f"go/{program}/{program}.go"],
                       env=environment, check=True)
    return {program: [f"{directory}/{program}", "binary_parameters=yes" if pooled else ""]
            for program in PROGRAMS}


COMMANDS = {"psql": psql_commands,
            "psycopg2": psycopg2_commands,
            "psycopg": psycopg_commands,
            "node": node_commands,
            "java": java_commands,
            "go": go_commands}


@contextlib.contextmanager
def pooler(directory):
    """A pgbouncer in transaction mode, which listens in that directory."""
    config = pathlib.Path(directory, "pgbouncer.ini")
    config.write_text(f"""
[databases]
* = host={os.environ['PGHOST']} user={os.environ['PGUSER']}
[pgbouncer]
listen_addr =
listen_port = {PORT}
unix_socket_dir = {directory}
auth_type = any
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
""", encoding="utf-8")
    process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", config])
    try:
        until(pathlib.Path(directory, f".s.PGSQL.{PORT}").exists, "pgbouncer")
        yield
    finally:
        process.terminate()
        process.wait()


def until(condition, what):
    """Wait for something that must come true."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.02)


class Worker:
    """A worker program, running.  It and its children are one process group."""

    def __init__(self, command, environment):
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stderr=self.errors, env=environment,
                                        start_new_session=True)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def has_said(self, message):
        assert self.process.poll() is None, "the worker ended"
        return message in self.said()

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Test:
    """The scenario, for one client's programs."""

    def __init__(self, commands, environment):
        self.commands = commands
        self.environment = environment      # of the programs
        self.produced = 0
        self.workers = []
        self.cursor = self.connect()
        self.cursor.execute((EXAMPLES / "schema.sql").read_text(encoding="utf-8"))
        # Whoever writes to the sink writes to the row of busy: to hold its lock
        # is to hold a worker between its write and its commit.  And he leaves
        # the order of his writes.
        self.cursor.execute("""
            CREATE TABLE busy (row_count bigint NOT NULL);
            INSERT INTO busy VALUES (0);
            CREATE TABLE arrived (LIKE arrival, place bigint GENERATED ALWAYS AS IDENTITY);
            CREATE FUNCTION after_arrival() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE busy SET row_count = row_count + (SELECT count(*) FROM new_rows);
                INSERT INTO arrived SELECT * FROM new_rows;
                RETURN NULL;
            END $$;
            CREATE TRIGGER after_arrival AFTER INSERT ON arrival
                REFERENCING NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION after_arrival()""")

    def connect(self):
        connection = psycopg2.connect("")
        connection.autocommit = True
        return connection.cursor()

    def rows(self, query, *parameters):
        self.cursor.execute(query, parameters or None)
        return self.cursor.fetchall()

    def until(self, query):
        """Wait until a query's value is true."""
        until(lambda: self.rows(query)[0][0], query)

    def produce_some(self):
        """Produce some flights more than a full batch of produce."""
        flights = FLIGHTS[self.produced:self.produced + 1001]
        subprocess.run(self.commands["produce"], input="".join(flights),
                       stdout=subprocess.DEVNULL, encoding="utf-8", env=self.environment,
                       check=True)
        self.produced += len(flights)

    def start_worker(self):
        self.workers.append(Worker(self.commands["worker"], self.environment))
        return self.workers[-1]

    @contextlib.contextmanager
    def held_worker(self, end):
        """While a worker is between its write and its commit.  Gives the id of
        its server process."""
        holder = self.connect()
        holder.execute("BEGIN; UPDATE busy SET row_count = row_count")
        self.produce_some()
        waiting = """FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        self.until(f"SELECT count(*) > 0 {waiting}")
        yield self.rows(f"SELECT pid {waiting}")[0][0]
        holder.execute(end)

    def test_calls(self):
        name = f"name={NAME}" if "-v" in self.commands["calls"] else NAME
        subprocess.run(self.commands["calls"] + [name], stdout=subprocess.DEVNULL,
                       env=self.environment, check=True)
        produced = self.rows("SELECT key, value, headers FROM topics.calls")
        assert produced == [
            (NAME, "hello", None),
            ("42", '{"total": 20}', [["source", "web"]]),
            (None, "no key", None),
            (UUID, None, None),
            ("key", "bytes", None),
            (NAME, "a", None),
            (None, "b", None),
            (None, '{"total": 1}', None),
            (None, '{"total": 2}', None)], produced

    def test_worker(self):
        worker = self.start_worker()
        with self.held_worker("COMMIT"):
            pass
        until(lambda: worker.has_said("could not serialize access"), "40001")
        self.await_sink()

        with self.held_worker("ROLLBACK") as pid:
            self.rows("SELECT pg_terminate_backend(%s, 10000)", pid)
        self.await_sink()

        before = self.produced
        with self.held_worker("ROLLBACK"):
            worker.kill()
        self.until("""SELECT count(claimed_by_pid) = 0 FROM topic.lag
                      WHERE group_id = 'arrivals'""")
        self.check_sink(before)

        # Two now.  When both wait, nobody uses the group, so it can be deleted.
        worker = self.start_worker()
        self.start_worker()
        self.await_sink()
        self.until("""SELECT count(*) = 2 FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active'
                AND query LIKE 'CALL topic.wait_for_records%'
                AND wait_event IN ('Extension', 'TopicWaitForRecords')""")
        self.cursor.execute("BEGIN; SELECT topic.delete_group('arrivals')")
        self.produce_some()
        until(lambda: worker.has_said("being deleted"), "55P03")
        self.cursor.execute("ROLLBACK")
        self.await_sink()

    def await_sink(self):
        """Wait until the workers have done all there is, and check it."""
        self.until("SELECT sum(lag) = 0 FROM topic.lag WHERE group_id = 'arrivals'")
        self.check_sink(self.produced)

    def check_sink(self, count):
        """The sink has the first records of each partition's log: so many, each
        once, in order."""
        differences = self.rows("""
            WITH sink AS (
                SELECT *, row_number() OVER (PARTITION BY partition ORDER BY place) - 1 AS nth
                FROM arrival JOIN arrived USING (
                    partition, record_offset, origin, destination, delay))
            SELECT (SELECT count(*) FROM arrival), count(*), count(*) FILTER (WHERE
                (nth, origin, destination, delay) IS DISTINCT FROM (record_offset, key,
                    value ->> 'destination', (value ->> 'delay')::int))
            FROM sink LEFT JOIN topics.flights USING (partition, record_offset)""")
        assert differences == [(count, count, 0)], differences

    def check_log(self):
        """The log has the lines of the file, those of each key in order."""
        lost = self.rows("""
            SELECT count(*) FROM (
                SELECT flight, flight ->> 'origin',
                    row_number() OVER (PARTITION BY flight ->> 'origin' ORDER BY n)
                FROM unnest(%s::jsonb[]) WITH ORDINALITY AS line (flight, n)
                EXCEPT ALL
                SELECT value, key, row_number() OVER (PARTITION BY key ORDER BY record_offset)
                FROM topics.flights) AS lost""", FLIGHTS[:self.produced])
        assert lost == [(0,)], lost
        assert self.rows("SELECT count(*) FROM topics.flights") == [(self.produced,)]

    def run(self):
        try:
            self.test_calls()
            self.test_worker()
            self.check_log()
        finally:
            for worker in self.workers:
                worker.kill()
                print(f"---- a worker said:\n{worker.said()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pooled", action="store_true")
    parser.add_argument("client", choices=COMMANDS)
    arguments = parser.parse_args()

    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        sockets = os.environ["PGHOST"]
        if arguments.pooled:
            sockets = directory
            stack.enter_context(pooler(directory))
        commands = COMMANDS[arguments.client](directory, sockets, arguments.pooled)
        Test(commands, dict(os.environ, PGHOST=sockets)).run()


main()
