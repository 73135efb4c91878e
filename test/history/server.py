"""PostgreSQL servers to be mistreated: started, killed, promoted."""

import os
import shutil
import signal
import subprocess
import time

import psycopg2

SETTINGS = {
    'listen_addresses': '',
    'max_connections': 100,
    'shared_buffers': '64MB',
    'max_pred_locks_per_transaction': 512,
    'max_prepared_transactions': 50,
    'autovacuum_naptime': '1s',
    'restart_after_crash': 'on',
    # Processes are killed here, not machines: what was written is not lost.
    'fsync': 'off',
    'log_line_prefix': '%m [%p] %a ',
    'log_statement': 'none',
}


def quote(value):
    return "'" + str(value).replace("'", "''") + "'"


class Server:
    """A server with its data in a directory, made from a template of data."""

    def __init__(self, directory, name, settings=(), environment=(), enter=()):
        self.directory = directory              # also of its socket
        self.name = name
        self.data = os.path.join(directory, name)
        self.log = os.path.join(directory, name + '.log')
        self.settings = {**SETTINGS, **dict(settings)}
        self.environment = {**os.environ, **dict(environment)}
        self.enter = list(enter)    # the command that enters its namespace
        self.port = 5432 + sum(map(ord, name))

    @property
    def dsn(self):
        return f'host={self.directory} port={self.port} dbname=postgres user=postgres'

    def create(self, template):
        if not os.path.exists(template):
            subprocess.run(['initdb', '-D', template, '-U', 'postgres', '-E', 'UTF8',
                            '--no-locale', '--auth=trust', '--no-sync'],
                           check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(template, self.data, symlinks=True)
        self.configure()

    def configure(self):
        settings = {**self.settings, 'port': self.port,
                    'unix_socket_directories': self.directory}
        with open(os.path.join(self.data, 'postgresql.conf'), 'w', encoding='utf-8') as file:
            for name, value in settings.items():
                file.write(f'{name} = {quote(value)}\n')

    def create_standby(self, primary):
        """A copy of another one that is stopped, to follow it."""
        shutil.copytree(primary.data, self.data, symlinks=True)
        self.settings['primary_conninfo'] = f'{primary.dsn} application_name={self.name}'
        self.configure()
        with open(os.path.join(self.data, 'standby.signal'), 'w', encoding='utf-8'):
            pass

    def back_up(self, directory):
        """A base backup, while everybody is at work."""
        subprocess.run(['pg_basebackup', '-d', self.dsn, '-D', directory, '-c', 'fast',
                        '-X', 'none', '--no-sync', '--no-manifest'],
                       check=True, stderr=subprocess.DEVNULL)

    def create_from_backup(self, backup, restore_command, recovery_target_time):
        """As things were at that time."""
        shutil.copytree(backup, self.data, symlinks=True)
        self.settings.update(restore_command=restore_command,
                             recovery_target_time=recovery_target_time,
                             recovery_target_action='promote')
        self.configure()
        with open(os.path.join(self.data, 'recovery.signal'), 'w', encoding='utf-8'):
            pass

    def dump(self, directory):
        """A dump, while everybody is at work; returns why not, if there is none."""
        shutil.rmtree(directory, ignore_errors=True)
        done = subprocess.run(['pg_dump', '-Fd', '-j', '2', '-f', directory, self.dsn],
                              check=False, stderr=subprocess.PIPE, text=True)
        return done.stderr if done.returncode else None

    def restore(self, directory):
        subprocess.run(['pg_restore', '-e', '-j', '2', '-d', self.dsn, directory], check=True)

    def pg_ctl(self, *arguments):
        return subprocess.run(
            [*self.enter, 'pg_ctl', '-s', '-w', '-t', '60', '-D', self.data, '-l', self.log,
             *arguments], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def start(self):
        """Start it, which is not possible before all of its processes are gone."""
        deadline = time.monotonic() + 60
        while not self.pg_ctl('start'):
            if time.monotonic() > deadline:
                raise RuntimeError(f'{self.name} does not start: see {self.log}')
            time.sleep(0.1)

    def stop(self, mode='fast'):
        return self.pg_ctl('stop', '-m', mode)

    def promote(self):
        if not self.pg_ctl('promote'):
            raise RuntimeError(f'{self.name} is not promoted: see {self.log}')

    def wait_until_writable(self):
        """Has recovery come to its end?"""
        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        cursor = connection.cursor()
        recovering = True
        while recovering:
            cursor.execute('SELECT pg_is_in_recovery()')
            recovering, = cursor.fetchone()
            time.sleep(0.05)
        connection.close()

    def postmaster(self):
        """Its process, if it runs."""
        try:
            with open(os.path.join(self.data, 'postmaster.pid'), encoding='utf-8') as file:
                pid = int(file.readline())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    def children(self):
        output = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(self.postmaster())],
                                check=False, capture_output=True, text=True).stdout
        return [int(pid) for pid in output.split()]

    def kill_postmaster(self):
        """The others end as soon as they notice."""
        postmaster = self.postmaster()
        os.kill(postmaster, signal.SIGKILL)
        wait_for_end([postmaster])

    def kill_all(self):
        """All at once, as far as a signal reaches all at once.

        The postmaster is stopped first, so that it does not notice the death
        of its children and begin to recover.
        """
        postmaster = self.postmaster()
        os.kill(postmaster, signal.SIGSTOP)
        processes = self.children() + [postmaster]
        for pid in processes:
            send_signal(pid, signal.SIGKILL)
        wait_for_end(processes)


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def is_alive(pid):
    """Does a process run? Of one that nobody has waited for, a zombie is left."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as file:
            return file.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


def wait_for_end(pids):
    while any(map(is_alive, pids)):
        time.sleep(0.01)


class SmallDisk:
    """A file system of a few megabytes, in a mount namespace of its own.

    It needs no privileges, but a kernel that lets users make namespaces.
    """

    def __init__(self, directory, megabytes):
        self.directory = directory
        self.megabytes = megabytes
        self.holder = None
        os.makedirs(directory, exist_ok=True)

    def mount(self):
        """Returns why not, if there is no way."""
        command = f'mount -t tmpfs -o size={self.megabytes}m none "$0" && echo mounted && ' \
            'exec setpriv --pdeathsig KILL sleep 1d'
        try:
            self.holder = subprocess.Popen(
                ['unshare', '--map-root-user', '--mount', 'sh', '-c', command, self.directory],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except OSError as error:
            return str(error)
        line = self.holder.stdout.readline().strip()
        return None if line == 'mounted' else line

    def enter(self):
        """The command that runs another one where the disk is mounted.

        Root in a namespace would be root to PostgreSQL, so there is one more
        in which it is not.
        """
        return ['nsenter', '-t', str(self.holder.pid), '-U', '-m', '--preserve-credentials',
                'unshare', '--map-user=1000', '--map-group=1000']

    def path(self, name=''):
        """Where a file of it is for us, who are outside."""
        return f'/proc/{self.holder.pid}/root{self.directory}/{name}'

    def fill(self):
        """Leave not a byte."""
        with open(self.path('ballast'), 'ab', buffering=0) as file:
            block = b'\0' * 65536
            while block:
                try:
                    file.write(block)
                except OSError:
                    block = block[:len(block) // 2]

    def free(self):
        try:
            os.remove(self.path('ballast'))
        except FileNotFoundError:
            pass

    def unmount(self):
        if self.holder:
            self.holder.kill()
            self.holder.wait()
