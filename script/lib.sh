# shellcheck shell=bash
# What the scripts share. Sourced by bash scripts that run under "set -euo pipefail".

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
unset MAKEFLAGS MAKELEVEL

# What a script exits with when a server cannot be had; not a success and not a failed test.
# shellcheck disable=SC2034
exit_skipped=77

# Prints its arguments as one line on standard error and ends the script.
die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Runs apt-get without questions and chatter; waits for its turn, as apt-get itself does not do for its lists.
apt() {
	as_root flock /run/lock/pg_steward.apt env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >/dev/null </dev/null
}

# Refreshes apt's package lists, once per script; a source that does not answer is apt's to report, not fatal.
apt_updated=
apt_update() {
	[ -n "$apt_updated" ] || apt update || echo "apt-get update failed" >&2
	apt_updated=yes
}

# Installs those of the named Debian packages that are missing; leaves machines without apt alone.
need() {
	local package missing=()
	command -v apt-get >/dev/null || return 0
	for package; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	apt_update
	apt install -y --no-install-recommends "${missing[@]}"
}

# Prints the major version of the server that pg_config $1 belongs to; fails when it has no server or no PGXS.
major_of() {
	[ -x "$(command -v "$1")" ] && [ -x "$("$1" --bindir)/postgres" ] && [ -e "$("$1" --pgxs)" ] &&
		"$1" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'
}

# Prints the pg_config of major version $1: $PG_CONFIG, the one on the path or Debian's; fails when there is none.
find_pg_config() {
	local candidate
	for candidate in "${PG_CONFIG:-}" pg_config "/usr/lib/postgresql/$1/bin/pg_config"; do
		if [ -n "$candidate" ] && [ "$(major_of "$candidate")" = "$1" ]; then
			echo "$candidate"
			return
		fi
	done
	return 1
}

# Prints the major version this machine is for: $PG_CONFIG's, the installed one, else the one its archive holds.
default_server() {
	if major_of "${PG_CONFIG:-pg_config}"; then return; fi
	command -v apt-get >/dev/null || die "no PostgreSQL server found; set PG_CONFIG"
	apt_update
	apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1
}

# Says whether server $1, major version or major-ARCH, is installed here or in this machine's own archive.
is_native() {
	[[ $1 != *-* ]] || [ "${1#*-}" = "$(dpkg --print-architecture)" ] || return 1
	find_pg_config "${1%-*}" >/dev/null && return
	command -v apt-get >/dev/null || return 1
	[ -n "$(apt-cache search --names-only '^postgresql-server-dev-')" ] || apt_update
	[ -n "$(apt-cache search --names-only "^postgresql-server-dev-${1%-*}\$")" ]
}

# Sets pg_config, bindir for server $1 after installing it, and what building and testing needs, if missing.
use_server() {
	local major=${1%-*}
	find_pg_config "$major" >/dev/null || need "postgresql-$major" "postgresql-server-dev-$major"
	need make gcc libipc-run-perl pgbouncer
	# what a page looks like does not depend on the server: the chroots do without
	[ -e /var/lib/pg_steward.ready ] || need chromium
	pg_config=$(find_pg_config "$major") || die "no pg_config for PostgreSQL $major"
	bindir=$("$pg_config" --bindir)
}

# Runs a command as the user that owns the server (postgres when we are root, which the server refuses, else us), in a
# locale that every machine has.
as_server() {
	local run=(env HOME="$scratch" TMPDIR="$scratch" LC_ALL=C.UTF-8 "$@")
	if [ "$(id -u)" = 0 ]; then run=(runuser -u postgres -- "${run[@]}"); fi
	(cd "$scratch/src" && "${run[@]}")
}

# Stops the server and removes the scratch folder, unless $keep is set. Runs at exit.
clean_up() {
	[ -z "${keep:-}" ] || return 0
	if [ -e "$scratch/data/postmaster.pid" ]; then
		as_server "$bindir/pg_ctl" -D "$scratch/data" -m immediate stop >/dev/null || :
	fi
	rm -rf "$scratch"
}

# Sets scratch to a private folder that belongs to the server's user and goes away at exit.
make_scratch() {
	scratch=$(mktemp -d /tmp/pg_steward.XXXXXX)
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$scratch/src" "$scratch/stage"
	[ "$(id -u)" != 0 ] || chown -R postgres: "$scratch"
}

# How servers are made; use_packager makes it different.
superuser=postgres
initdb_options=(--no-locale)
with_llvm=no

# From here on, servers are made as a packager's may be, with nothing as developers have it: another superuser, a Turkish
# database, German money, New York's time, pg_stat_statements at work, and a build with bitcode for JIT. Call it after
# make_scratch. The locales are made there, since a machine need not have them.
use_packager() {
	local name
	need locales
	mkdir "$scratch/locale"
	cp -r /usr/lib/locale/C.* "$scratch/locale"
	for name in tr_TR de_DE en_US; do
		localedef -i "$name" -f UTF-8 "$scratch/locale/$name.UTF-8"
	done
	export LOCPATH=$scratch/locale
	superuser=packager
	initdb_options=(--locale=tr_TR.UTF-8 --lc-monetary=de_DE.UTF-8 --lc-messages=C)
	with_llvm=yes
	{
		[ -z "${STEWARD_SERVER_CONF:-}" ] || cat "$STEWARD_SERVER_CONF"
		cat <<-CONF
			shared_preload_libraries = 'pg_stat_statements'
			compute_query_id = on
			track_io_timing = on
			timezone = 'America/New_York'
		CONF
	} >"$scratch/packager.conf"
	STEWARD_SERVER_CONF=$scratch/packager.conf
}

# Copies the tree, without what was built in it, to $scratch/src; a checkout need not be readable by the server's user.
copy_tree() {
	tar -C "$tree" --exclude=./.git --exclude=./tmp_check -cf - . | as_server tar -xf - --no-same-owner
	as_server make -s with_llvm=no PG_CONFIG="$pg_config" clean
}

# Builds the tree in $scratch/src, stages it, and writes the settings that find it to $scratch/stage.conf, so that
# nothing is installed into the system.
build() {
	local make=(make -s with_llvm="$with_llvm" PG_CONFIG="$pg_config")
	copy_tree
	{
		as_server "${make[@]}" -j2 &&
			as_server "${make[@]}" install DESTDIR="$scratch/stage"
	} >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log" >&2; die "the build failed"; }
	grep -i 'warning' "$scratch/build.log" >&2 || :

	{
		if "$bindir/postgres" --describe-config | grep '^extension_destdir' >/dev/null; then
			echo "extension_destdir = '$scratch/stage'"
		else
			echo "extension_control_path = '$scratch/stage$("$pg_config" --sharedir):\$system'"
		fi
		# for the library by its bare name, as in session_preload_libraries
		echo "dynamic_library_path = '$scratch/stage$("$pg_config" --pkglibdir):\$libdir'"
	} >"$scratch/stage.conf"
	chmod a+r "$scratch/stage.conf"
}

# Boots a server that runs the staged build, listens on a socket only, and is PGHOST, PGPORT and PGUSER from here on.
# $STEWARD_SERVER_CONF may name a file of further settings, which win.
boot() {
	as_server "$bindir/initdb" -D "$scratch/data" -U "$superuser" -A trust "${initdb_options[@]}" -E UTF8 --no-sync \
		>"$scratch/initdb.log" 2>&1 || { cat "$scratch/initdb.log" >&2; die "initdb failed"; }
	{
		cat <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$scratch'
			port = 5432
			fsync = off
			max_prepared_transactions = 10
		CONF
		cat "$scratch/stage.conf"
		[ -z "${STEWARD_SERVER_CONF:-}" ] || cat "$STEWARD_SERVER_CONF"
	} | as_server tee -a "$scratch/data/postgresql.conf" >/dev/null
	as_server "$bindir/pg_ctl" -D "$scratch/data" -l "$scratch/server.log" -w start >/dev/null ||
		{ tail -n 20 "$scratch/server.log" >&2; die "the server did not start"; }
	export PGHOST=$scratch PGPORT=5432 PGUSER=$superuser PATH="$bindir:$PATH"
}
