# pg_upgrade: from an older PostgreSQL, if PG_TOPIC_OLD_PG_CONFIG names its
# pg_config; it must have the extension, of this version.  Else from the same
# one, which pg_upgrade takes for an older one: the catalogs are made anew all
# the same.
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;
use Contents;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old_pg_config = $ENV{PG_TOPIC_OLD_PG_CONFIG} || $ENV{PG_CONFIG} || 'pg_config';
chomp(my $old_bindir = `$old_pg_config --bindir`);

my $old = PostgreSQL::Test::Cluster->new('old', install_path => dirname($old_bindir));
my $new = PostgreSQL::Test::Cluster->new('new');
# Checksums are the default since PostgreSQL 18, and both must have them or not.
$_->init(extra => [ '--no-locale', '--encoding=UTF8', '--data-checksums' ]) for ($old, $new);
$_->append_conf('postgresql.conf', 'autovacuum = off') for ($old, $new);
$old->start;
$old->safe_psql('postgres', "CREATE DATABASE $_") for ('contents', 'of_0_1_0');
$old->safe_psql('contents', 'CREATE EXTENSION pg_topic');
my $contents = Contents->new($old, 'contents');
$contents->leave;
$old->safe_psql('of_0_1_0', $_) for (
	q{CREATE EXTENSION pg_topic VERSION '0.1.0'},
	q{SELECT topic.create_topic('t', segment_bytes => 1)},
	q{SELECT topic.produce('t', v) FROM unnest('{a,b,c}'::text[]) v},
	q{SELECT FROM topic.join_group('g', ARRAY['t'], 'm', session_timeout => '1 day')},
	q{SELECT FROM topic.poll('g', 'm', 1); SELECT topic.commit_polled('g', 'm')});

# What the extension consists of, but for its tables' types, which PostgreSQL adds;
# of what a dump has the data; and the relations by number, as the catalog has it.
my %objects = (
	members => q{SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
		WHERE deptype = 'e' AND classid <> 'pg_type'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_topic') ORDER BY 1},
	dumped => q{SELECT t::regclass::text, condition FROM pg_extension, unnest(extconfig, extcondition) c(t, condition)
		WHERE extname = 'pg_topic' ORDER BY 1},
	relations => q{SELECT c.oid, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE nspname IN ('topic', 'topics', 'topic_log') ORDER BY 1});
my %of_old = map { $_ => $contents->query($objects{$_}) } keys %objects;

# Workers would have something to do; but not while pg_upgrade is at work.
$old->stop;
$_->append_conf('postgresql.conf', q{
shared_preload_libraries = 'pg_topic'
pg_topic.maintenance_databases = 'contents, of_0_1_0'
pg_topic.maintenance_interval = 1s
}) for ($old, $new);
chdir $PostgreSQL::Test::Utils::tmp_check;
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old_bindir,
		'-B', $new->config_data('--bindir'), '-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade');
# It leaves its logs where it fails, and else none.
foreach my $file (glob($new->data_dir . '/pg_upgrade_output.d/*/log/*'))
{
	diag(basename($file) . ": $_") for grep { /error|fatal|panic/i } split(/\n/, slurp_file($file));
}
$new->append_conf('postgresql.conf', q{pg_topic.maintenance_databases = ''});
$new->start;

my $upgraded = $contents->moved(node => $new);
is($upgraded->query($objects{$_}), $of_old{$_}, "the extension: same $_") for sort keys %objects;
$upgraded->is_same('upgraded');
$upgraded->goes_on('upgraded');

# An older version of the extension is updated afterwards.
is($new->safe_psql('of_0_1_0', q{SELECT topic.produce('t', 'd');
		ALTER EXTENSION pg_topic UPDATE;
		SELECT value FROM topic.poll_text('g', 'm')}), "3\nb\nc\nd", 'a member of a group goes on');

$new->stop;
done_testing();
