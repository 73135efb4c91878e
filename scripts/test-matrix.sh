#!/usr/bin/env bash
# Runs scripts/test.sh on several major versions of PostgreSQL, one after the
# other.
#
#	scripts/test-matrix.sh						on 15, 17 and 18: all tests
#	scripts/test-matrix.sh 17 18 -- regress tap	on these, these parts
#	scripts/test-matrix.sh --from 15 17 -- tap	with pg_upgrade from 15
#	scripts/test-matrix.sh --keep DIR ...		see below
#
# The last lines say how many tests passed and failed on each, and in all; the
# exit status tells whether any failed.
#
# A PostgreSQL that is installed where Debian puts it is used as it is.  For
# another one, the Debian that has it is made in a directory, and used by
# chroot, which takes root, the network and 3 GB; by apt's sources and settings
# of this machine.  Such directories are in TMPDIR, and removed at the end; or
# with --keep in DIR, where they stay, and are used again.
#
# pg_upgrade is tested from the version itself; or from the one that --from
# names, if that is older, which is installed beside it, from its own Debian.
#
# The tests there run in namespaces of their own.  So their mounts and processes
# end with them, whatever ends them.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# The release of Debian that has a major version; sid, only as long as it has no
# later one
declare -A debian=([15]=bookworm [17]=trixie [18]=sid)

arguments=("$@")
majors=()
from=
keep=
while [ $# -gt 0 ]; do
	case $1 in
		--)
			shift
			break
			;;
		--from)
			from=${2?"--from needs a version"}
			shift
			;;
		--keep)
			keep=${2?"--keep needs a directory"}
			shift
			;;
		[0-9]*) majors+=("$1") ;;
		*)
			sed -n '2,/^# shellcheck/s/^# \{0,1\}//p' "$0" | head -n -1
			exit 2
			;;
	esac
	shift
done
[ ${#majors[@]} -gt 0 ] || majors=(15 17 18)
# What is left of the arguments are parts.

pg_config_of()
{
	echo "/usr/lib/postgresql/$1/bin/pg_config"
}

# The version that pg_upgrade begins at, for a version to test; if any
older_than()
{
	[ -z "$from" ] || [ "$from" -ge "$1" ] || echo "$from"
}

# Does this machine have what tests of a version need?
is_here()
{
	local major

	for major in "$1" $(older_than "$1"); do
		[ -x "$(pg_config_of "$major")" ] || return 1
	done
}

# The archive that this machine's own packages are from
debian_archive()
{
	local archive

	is_available postgresql || true
	archive=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' \
		'Origin: Debian' 'Component: main' | sed -n 's/ Debian$//p' | head -n 1)
	[ -n "$archive" ] || die "apt has no Debian archive"
	echo "$archive"
}

# How this machine's apt gets at it
apt_settings()
{
	apt-config dump --format '%F "%v";%n' Acquire |
		grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv)' || true
}

# Make a Debian in a directory; only a complete one gets its name.
#
# usage: make_root RELEASE DIRECTORY
make_root()
{
	local release=$1 root=$2 settings=$scratch/apt.conf archive

	archive=$(debian_archive) || exit
	command -v mmdebstrap >/dev/null || install_packages mmdebstrap
	apt_settings >"$settings"
	mkdir -p "$(dirname "$root")"
	rm -rf "$root.new"
	attend KILL unshare --mount --pid --fork --kill-child --mount-proc \
		env TMPDIR="$scratch" mmdebstrap --quiet --mode=root --variant=minbase --aptopt="$settings" \
		--include=ca-certificates "$release" "$root.new" \
		"deb $archive $release main" &&
		mv "$root.new" "$root"
}

# Let a directory's packages come from another release, too, where its own has
# none of that name.
#
# usage: add_release RELEASE DIRECTORY
add_release()
{
	local release=$1 root=$2 archive

	archive=$(debian_archive) || exit
	echo "deb $archive $release main" >"$root/etc/apt/sources.list.d/$release.list"
}

# Run the tests in such a directory.
#
# usage: test_in_root DIRECTORY PART...
test_in_root()
{
	local root=$1

	shift
	[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	rm -rf "$root/pg_topic" "$root"/tmp/pg_topic.*	# of a run that was interrupted
	mkdir "$root/pg_topic"
	tar -C "$tree" -c --exclude=./.git . | tar -C "$root/pg_topic" -x --no-same-owner
	# The root is changed by pivot_root, since whoever has changed it by chroot
	# cannot make user namespaces, which a test needs.
	# shellcheck disable=SC2016 # the inner shell expands it
	attend KILL unshare --mount --pid --fork --kill-child bash -e -c '
		root=$1
		shift
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
		cd "$root"
		mkdir -p old
		pivot_root . old
		umount -l /old
		exec env -u TMPDIR bash /pg_topic/scripts/test.sh "$@"' \
		bash "$root" "$@"
}

# Run a command that ends when we do, by a signal.  (While bash waits for one
# in the foreground, it does not heed signals.)
#
# usage: attend SIGNAL COMMAND...
attend()
{
	local status=0

	signal=$1
	shift
	"$@" </dev/null &
	running=$!
	wait $running || status=$?
	running=
	return $status
}

leave()
{
	local status=$?

	if [ -n "$running" ]; then
		kill -s "$signal" "$running" 2>/dev/null || true
		wait "$running" 2>/dev/null || true
	fi
	rm -rf --one-file-system "$scratch"
	exit $status
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/pg_topic_matrix.XXXXXX")
running=
trap leave EXIT
trap 'exit 1' HUP INT TERM

for major in "${majors[@]}"; do
	is_here "$major" || {
		for needed in "$major" $(older_than "$major"); do
			[ -n "${debian[$needed]-}" ] || die "PostgreSQL $needed is not installed, and no Debian is known that has it"
		done
		[ "$(id -u)" = 0 ] || exec sudo env TMPDIR="${TMPDIR-}" CI="${CI-}" \
			FUZZ_SECONDS="${FUZZ_SECONDS-}" bash "$0" "${arguments[@]}"
	}
done

results=()
sum_passed=0
sum_failed=0
for major in "${majors[@]}"; do
	log=$scratch/$major.log
	old=$(older_than "$major")
	PG_CONFIG=$(pg_config_of "$major")
	PG_TOPIC_OLD_PG_CONFIG=${old:+$(pg_config_of "$old")}
	export PG_CONFIG PG_TOPIC_OLD_PG_CONFIG
	echo "==== PostgreSQL $major"
	exec 3> >(tee "$log")
	tee=$!
	if is_here "$major"; then
		attend TERM bash "$tree/scripts/test.sh" "$@" >&3 2>&1 3>&- || true
	else
		root=${keep:-$scratch}/${debian[$major]}
		{ [ -d "$root" ] || make_root "${debian[$major]}" "$root"; } &&
			{ [ -z "$old" ] || add_release "${debian[$old]}" "$root"; } &&
			test_in_root "$root" "$@" >&3 2>&1 3>&- || true
	fi
	exec 3>&-
	wait $tee
	result=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
	[ -n "$result" ] || result="0 passed, 1 failed: the tests did not come to their end"
	results+=("PostgreSQL $major: $result")
	read -r passed _ failed _ <<<"$result"
	sum_passed=$((sum_passed + passed))
	sum_failed=$((sum_failed + failed))
	[ -n "$keep" ] || rm -rf --one-file-system "${scratch:?}/${debian[$major]-none}"
done

printf '%s\n' "" "${results[@]}" "in all: $sum_passed passed, $sum_failed failed"
[ $sum_failed = 0 ]
