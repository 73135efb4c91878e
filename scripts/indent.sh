#!/usr/bin/env bash
# Formats the C code as PostgreSQL's own pgindent would.
#
#	scripts/indent.sh				format
#	scripts/indent.sh --check		show what would change, and fail if anything
#	scripts/indent.sh --typedefs	make typedefs.list anew, from the debug
#									information of the objects that stand in
#									src and test; run it after a build
#
# pg_bsd_indent has to be told what is a type: those that the code defines are
# found there, those of PostgreSQL and other libraries are in typedefs.list.
# Debian has the program, in the package pg-bsd-indent or with the server's
# headers, but not the script around it.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

flags=(-bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 -nfc1 -i4 -l79
	-lp -lpl -nip -npro -sac -tpg -ts4)

shopt -s nullglob
files=(src/*.[ch] test/*/*.[ch])

# A type that is the name of a variable, too, is left out: pg_bsd_indent would
# take assignments to the variable for declarations.
variables='text'

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
own_types=$temporary/own_types
sed -nE 's/^\} ([A-Za-z0-9_]+);$/\1/p; s/^typedef .*\(\*([A-Za-z0-9_]+)\).*/\1/p' \
	"${files[@]}" | sort -u >"$own_types"

# Standard input, formatted.  Two habits of pg_bsd_indent are put right: it
# sets the star of a function's return type apart, where the type has a line
# of its own; and versions before 2.1.2 do not indent the lines on which a
# variable's initializer continues, nor what is aligned with these.
format()
{
	pg_bsd_indent "${flags[@]}" -U"$temporary/types" | awk '
		/^[A-Za-z_][A-Za-z0-9_ ]*[ \t]+\*+$/ { sub(/[ \t]+\*/, " *") }
		{
			match($0, /^\t*/)
			if (continued && RLENGTH == indent && !/^\t*[{}#]/)
				moved = 1
			if (moved && RLENGTH >= indent && !/^\t*[{}#]/)
				$0 = "\t" $0
			else if (/^\t*([A-Za-z_0-9]+[ \t]+)+\**[A-Za-z_0-9]+(\[[^]]*\])? =/)
			{
				continued = 1
				indent = RLENGTH
			}
			if (/[;{}]( *\t*\/\*.*)?$/)
				continued = moved = 0
			print
		}'
}

case ${1-} in
	--typedefs)
		find src test \( -name '*.o' -o -path '*/build/*' -perm -u+x \) \
			-type f -exec objdump -W {} + 2>/dev/null |
			awk '/DW_TAG_/ { typedef = /DW_TAG_typedef/ }
				typedef && /DW_AT_name/ { print $NF }' |
			grep -Fxf <(grep -ohE '[A-Za-z_][A-Za-z0-9_]*' "${files[@]}" | sort -u) |
			grep -vxFf "$own_types" | grep -vxE "$variables" | sort -u >typedefs.list
		;;
	--check | '')
		cat typedefs.list "$own_types" >"$temporary/types"
		status=0
		for file in "${files[@]}"; do
			format <"$file" >"$temporary/formatted"
			if [ -n "${1-}" ]; then
				diff -u --label "$file" --label "$file, formatted" "$file" \
					"$temporary/formatted" || status=1
			elif ! cmp -s "$file" "$temporary/formatted"; then
				cat "$temporary/formatted" >"$file"
			fi
		done
		exit $status
		;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
		exit 2
		;;
esac
