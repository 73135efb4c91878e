"""The faults that strike a server while clients are at work."""

import contextlib
import glob
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import psycopg2

import clients
from server import SmallDisk, send_signal


class Fault:
    """No fault, but connections that clients cut: what the others build on."""

    settings = {}
    errors = ()             # that clients must expect, too
    must_happen = ()        # parts of what is counted
    interval = 1            # seconds between strikes, at most
    cuts = 0.01             # how many transactions lose their connection
    compacts = False        # there is a compacted topic
    prepares = False        # transactions are prepared
    may_lose = False        # acknowledged records
    may_sleep = True        # with pg_sleep()
    servers = ()

    def set_up(self, run):
        """Start servers; returns why not, if there is no way."""
        self.make_server(run)
        self.server.create(run.arguments.template)
        self.server.start()
        run.target = self.server.dsn, 0

    def make_server(self, run, name='main', **options):
        self.server = run.server(name, **options)
        self.servers = [self.server]

    def tear_down(self, run):
        """Whatever of it there is."""
        for server in self.servers:
            server.stop('immediate')

    def followers(self, run):
        """More who read."""
        return []

    def connected(self, client):
        """A client has a new connection."""

    def begin(self, client):
        """A client is about to begin a transaction."""

    def strike(self, run):
        """Returns False if there was nothing to do."""
        return False

    def end(self, run):
        """There shall be peace."""


class KillBackend(Fault):
    """kill -9 of a backend at random; the server crashes and recovers."""

    def strike(self, run):
        try:
            cursor = run.connect().cursor()
            cursor.execute("""
                SELECT pid FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()""")
            send_signal(run.rng.choice(cursor.fetchall())[0], signal.SIGKILL)
        except (psycopg2.Error, IndexError):
            pass                # it is recovering still


class KillServer(Fault):
    """kill -9 of the postmaster, or of all processes, and crash recovery."""

    def strike(self, run):
        if run.rng.random() < 0.5:
            self.server.kill_all()
        else:
            self.server.kill_postmaster()
        self.server.start()


class StopImmediately(Fault):
    """pg_ctl stop -m immediate, and crash recovery."""

    def strike(self, run):
        self.server.stop('immediate')
        self.server.start()


class AsynchronousCommit(Fault):
    """kill -9 of all processes with synchronous_commit = off."""

    settings = {'synchronous_commit': 'off', 'wal_writer_delay': '2s'}
    may_lose = True

    def strike(self, run):
        dsn, epoch = run.target
        self.server.kill_all()
        run.target = dsn, epoch + 1
        self.server.start()


class SynchronousPromotion(Fault):
    """The primary dies, and a synchronous standby takes its place."""

    settings = {'synchronous_standby_names': 'standby'}
    cuts = 0        # a wait for the standby that is given up acknowledges nothing,
                    # but shows others what the standby may not have
    interval = 2

    def set_up(self, run):
        self.make_server(run)
        self.server.create(run.arguments.template)
        self.standby = run.server('standby')
        self.standby.settings.pop('synchronous_standby_names', None)
        self.servers.append(self.standby)
        self.standby.create_standby(self.server)
        self.server.start()
        self.standby.start()
        run.target = self.server.dsn, 0
        self.struck = False

    def followers(self, run):
        """One reads on the standby, once that has all there is to begin with."""
        cursor = psycopg2.connect(self.standby.dsn).cursor()
        ready = False
        while not ready:
            cursor.execute("SELECT to_regclass('sink') IS NOT NULL")
            ready, = cursor.fetchone()
            cursor.connection.rollback()
        return [clients.Follower(run, 'of the standby', (self.standby.dsn, 1))]

    def strike(self, run):
        if self.struck:
            return False
        self.struck = True
        self.kill_primary(run)
        self.standby.promote()
        run.target = self.standby.dsn, 1
        return True

    def kill_primary(self, run):
        self.server.kill_all()


class AsynchronousPromotion(SynchronousPromotion):
    """The same without waiting for the standby, which lags when it happens."""

    settings = {}
    may_lose = True

    def kill_primary(self, run):
        senders = [pid for pid in self.server.children() if 'walsender' in title(pid)]
        for pid in senders:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)
        self.server.kill_all()


def title(pid):
    try:
        with open(f'/proc/{pid}/cmdline', encoding='utf-8') as file:
            return file.read()
    except OSError:
        return ''


class PointInTime(Fault):
    """A base backup, from which the server is restored as it was at a time.

    Log, offsets and sinks must be those of one instant.
    """

    may_lose = True
    struck = False

    def __init__(self):
        self.settings = {'archive_mode': 'on', 'archive_timeout': 1}

    def set_up(self, run):
        self.archive = os.path.join(run.directory, 'archive')
        os.mkdir(self.archive)
        self.settings['archive_command'] = f'cp %p {self.archive}/%f'
        super().set_up(run)

    def strike(self, run):
        if self.struck:
            return False
        self.struck = True
        backup = os.path.join(run.directory, 'backup')
        self.server.back_up(backup)
        time.sleep(0.5)
        cursor = run.connect().cursor()
        cursor.execute('SELECT clock_timestamp()')
        instant = cursor.fetchone()[0]
        time.sleep(0.5)
        self.server.kill_all()
        lost = self.server
        self.settings['archive_mode'] = 'off'
        self.server = run.server('restored')
        self.servers.append(self.server)
        self.server.create_from_backup(
            backup, f'cp {self.archive}/%f %p || cp {lost.data}/pg_wal/%f %p', instant)
        self.server.start()
        self.server.wait_until_writable()
        run.target = self.server.dsn, 1
        return True


class Dump(Fault):
    """pg_dump while everybody is at work; a new server has what it dumped.

    Log, offsets and sinks must be those of one instant, here too.
    """

    may_lose = True
    struck = False

    def strike(self, run):
        if self.struck:
            return False
        self.struck = True
        dump = os.path.join(run.directory, 'dump')
        self.dump(run, dump)
        self.server.kill_all()
        self.server = run.server('restored')
        self.servers.append(self.server)
        self.server.create(run.arguments.template)
        self.server.start()
        self.server.restore(dump)
        run.target = self.server.dsn, 1
        time.sleep(0.5)         # everybody goes on there
        return True

    def dump(self, run, directory):
        """It gives up if a segment is dropped, or to be, before it is locked."""
        for _ in range(20):
            error = self.server.dump(directory)
            if not error:
                return
            if not re.search('does not exist|could not open relation|cache lookup failed'
                             '|could not obtain lock', error):
                break
            run.count('times that it had to be dumped again')
        raise RuntimeError(f'pg_dump: {error}')


class DiskFull(Fault):
    """No room for data, while there is room for the WAL."""

    errors = ('53100',)
    must_happen = ('error 53100 of a producer', 'error 53100 of a roller')
    compacts = True
    in_small_disk = 'base'

    def set_up(self, run):
        # What is produced in all the time must have room.
        self.disk = SmallDisk(os.path.join(run.directory, 'disk'),
                              int(64 + 30 * run.longest()))
        why_not = self.disk.mount()
        if why_not:
            return f'no small disk: {why_not}'
        self.make_server(run, enter=self.disk.enter())
        self.server.create(run.arguments.template)
        inside = os.path.join(self.server.data, self.in_small_disk)
        shutil.copytree(inside, self.disk.path(self.in_small_disk))
        shutil.rmtree(inside)
        os.symlink(os.path.join(self.disk.directory, self.in_small_disk), inside)
        self.server.start()
        run.target = self.server.dsn, 0
        return None

    def tear_down(self, run):
        super().tear_down(run)
        self.disk.unmount()

    def strike(self, run):
        self.disk.fill()
        time.sleep(run.rng.uniform(0.1, 1))
        self.disk.free()

    def end(self, run):
        self.disk.free()


class WalFull(DiskFull):
    """No room for the WAL: the server crashes, and is started again."""

    must_happen = ('crashes',)
    in_small_disk = 'pg_wal'
    settings = {'max_wal_size': '32MB', 'min_wal_size': '32MB'}

    def strike(self, run):
        self.disk.fill()
        with contextlib.suppress(psycopg2.Error):
            cursor = run.connect().cursor()
            for _ in range(5):          # until it needs a new file
                cursor.execute('SELECT pg_switch_wal()')
        time.sleep(run.rng.uniform(0, 0.5))
        self.end(run)

    def end(self, run):
        super().end(run)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.server.postmaster() is None:
                run.count('times that it had to be started')
                self.server.start()
            with contextlib.suppress(psycopg2.Error):
                run.connect().close()
                break
            time.sleep(0.05)
        with open(self.server.log, encoding='utf-8') as file:
            run.counts['crashes'] = file.read().count('PANIC:')


class OutOfLocks(Fault):
    """Somebody takes all the locks that there are."""

    errors = ('53200',)
    must_happen = ('error 53200 of a producer', 'error 53200 of a member')

    def strike(self, run):
        hog = run.connect()
        with contextlib.suppress(psycopg2.errors.OutOfMemory):
            hog.cursor().execute(
                'SELECT count(pg_advisory_lock(n)) FROM generate_series(1, 1000000) n')
        time.sleep(run.rng.uniform(0, 0.5))
        hog.close()


class OutOfMemory(Fault):
    """Backends get no more memory, or only a little."""

    errors = ('53200', '58P01')     # 58P01: not even to load the library
    must_happen = ('error 53200',)
    interval = 0.1

    def set_up(self, run):
        if os.environ.get('ASAN_OPTIONS'):
            return 'AddressSanitizer keeps memory that was freed'
        return super().set_up(run)

    def strike(self, run):
        limited = [pid for pid in self.server.children() if run.rng.random() < 0.3]
        for pid in limited:
            with contextlib.suppress(OSError, ValueError):
                with open(f'/proc/{pid}/statm', encoding='utf-8') as file:
                    size = int(file.read().split()[0]) * resource.getpagesize()
                self.limit(pid, size + run.rng.choice((0, 1, 10, 100, 1000)) * 1024)
        time.sleep(run.rng.uniform(0, 0.3))
        for pid in limited:
            self.limit(pid, resource.RLIM_INFINITY)

    @staticmethod
    def limit(pid, size):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


class Interrupts(Fault):
    """Timeouts, cancels and terminations at any moment."""

    errors = ('57014', '55P03')
    must_happen = ('error 57014 of a producer', 'error 57014 of a consumer')
    interval = 0.02

    def begin(self, client):
        if client.rng.random() < 0.2:
            client.execute(f'SET statement_timeout = {client.rng.randint(1, 20)}')
            client.execute(f'SET lock_timeout = {client.rng.randint(1, 5)}')
        else:
            client.execute('RESET statement_timeout')
            client.execute('RESET lock_timeout')

    def set_up(self, run):
        super().set_up(run)
        self.connection = run.connect()

    def strike(self, run):
        function = run.rng.choice(('pg_cancel_backend',) * 4 + ('pg_terminate_backend',))
        self.connection.cursor().execute(f"""
            SELECT {function}(pid) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            ORDER BY state = 'active' DESC, random() LIMIT 1""")


class PgBouncer(Fault):
    """pgbouncer in transaction mode: each transaction has another backend.

    It is killed, and so are its connections.
    """

    program = '/usr/sbin/pgbouncer'
    pooler = None

    def set_up(self, run):
        if not os.path.exists(self.program):
            return f'there is no {self.program}'
        super().set_up(run)
        self.port = self.server.port + 1
        self.configuration = os.path.join(run.directory, 'pgbouncer.ini')
        self.socket = os.path.join(run.directory, f'.s.PGSQL.{self.port}')
        users = os.path.join(run.directory, 'users')
        with open(users, 'w', encoding='utf-8') as file:
            file.write('"postgres" ""\n')
        with open(self.configuration, 'w', encoding='utf-8') as file:
            file.write(f"""
[databases]
postgres = host={run.directory} port={self.server.port}
[pgbouncer]
listen_port = {self.port}
listen_addr =
unix_socket_dir = {run.directory}
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 8
logfile = {run.directory}/pgbouncer.log
""")
        self.start()
        run.target = f'host={run.directory} port={self.port} dbname=postgres user=postgres', 0
        return None

    def start(self):
        with open(os.devnull, 'r+', encoding='utf-8') as null:
            self.pooler = subprocess.Popen([self.program, self.configuration],
                                           stdin=null, stdout=null, stderr=null)
        self.await_answer()

    def await_answer(self):
        while True:
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
                if client.connect_ex(self.socket) == 0:
                    return
            if self.pooler.poll() is not None:
                raise RuntimeError(f'pgbouncer has ended, {self.pooler.returncode}')
            time.sleep(0.01)

    def kill(self):
        if self.pooler:
            self.pooler.kill()
            self.pooler.wait()

    def strike(self, run):
        if run.rng.random() < 0.5:
            self.kill()
            self.start()
        else:
            cursor = psycopg2.connect(self.server.dsn).cursor()
            cursor.execute("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                ORDER BY random() LIMIT 3""")

    def tear_down(self, run):
        self.kill()
        super().tear_down(run)


class Prepared(Fault):
    """PREPARE TRANSACTION, left open and resolved later, also after a crash."""

    prepares = True
    errors = ('55P03',)
    must_happen = ('prepared',)
    interval = 2

    def strike(self, run):
        self.server.stop('immediate')
        self.server.start()


class Clock(Fault):
    """The server's clock steps back, and ahead."""

    interval = 0.3
    must_happen = ('steps back',)
    may_sleep = False       # it goes by the clock
    libraries = '/usr/lib/*/faketime/libfaketime.so.1'

    def set_up(self, run):
        found = glob.glob(self.libraries)
        if not found:
            return f'there is no {self.libraries}'
        self.file = os.path.join(run.directory, 'clock')
        self.step(0)
        self.make_server(run, environment={
            'LD_PRELOAD': found[0], 'FAKETIME_TIMESTAMP_FILE': self.file,
            'FAKETIME_NO_CACHE': '1', 'DONT_FAKE_MONOTONIC': '1',
            'FAKETIME_DONT_FAKE_MONOTONIC': '1'})
        self.server.create(run.arguments.template)
        self.server.start()
        run.target = self.server.dsn, 0
        return None

    def step(self, seconds):
        new = self.file + '.new'
        with open(new, 'w', encoding='utf-8') as file:
            file.write(f'{seconds:+}\n')
        os.rename(new, self.file)

    def strike(self, run):
        before = self.now(run)
        self.step(run.rng.choice((-3600, -60, -1, 0, 1, 60)))
        if self.now(run) < before:
            run.count('steps back')

    @staticmethod
    def now(run):
        cursor = run.connect().cursor()
        cursor.execute('SELECT clock_timestamp()')
        return cursor.fetchone()[0]

    def end(self, run):
        """Back behind all that has been, just when a member has died.

        Others must get its partitions when they have not heard of it for its
        session's timeout, whatever the clock said when they last did. And who
        waits for records in vain must not wait until the clock has caught up.
        """
        self.step(0)
        waiter = threading.Thread(target=self.wait, args=(run,), daemon=True)
        waiter.start()
        run.connect().cursor().execute(
            "SELECT FROM topic.join_group(%s, %s, session_timeout => '1 s')",
            (clients.Member.group, [topic for topic, _ in run.topics]))
        time.sleep(0.5)
        self.step(-7200)
        waiter.join(run.arguments.patience)
        if waiter.is_alive():
            run.fail('topic.wait_for_records does not end')

    @staticmethod
    def wait(run):
        with contextlib.suppress(psycopg2.Error):
            run.connect().cursor().execute(
                "CALL topic.wait_for_records('plain', ARRAY[1e15, 1e15, 1e15]::bigint[], '1 s')")


ALL = {
    'none': Fault,
    'kill-backend': KillBackend,
    'kill-server': KillServer,
    'stop-immediate': StopImmediately,
    'asynchronous-commit': AsynchronousCommit,
    'synchronous-promotion': SynchronousPromotion,
    'asynchronous-promotion': AsynchronousPromotion,
    'point-in-time': PointInTime,
    'dump': Dump,
    'disk-full': DiskFull,
    'wal-full': WalFull,
    'out-of-locks': OutOfLocks,
    'out-of-memory': OutOfMemory,
    'interrupts': Interrupts,
    'pgbouncer': PgBouncer,
    'prepared': Prepared,
    'clock': Clock,
}
