# shellcheck shell=bash
# What the scripts share. Sourced by bash scripts that run under "set -euo pipefail".

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
unset MAKEFLAGS MAKELEVEL

# Where Debian chroots and downloaded packages stay for the next time.
cache=${STEWARD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pg_steward}

# What a script exits with when a server cannot be had; not a success and not a failed test.
# shellcheck disable=SC2034
exit_skipped=77

# The Debian release that has each server: a major version or, on another architecture of this machine's, major-ARCH.
declare -A suites=([15]=bookworm [15-i386]=bookworm [17]=trixie [18]=forky [19]=sid)

# Prints its arguments as one line of progress, apart from what a script has to print.
say() {
	echo "$*" >&2
}

# Prints its arguments as one line on standard error and ends the script.
die() {
	say "${0##*/}: $*"
	exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Says whether as_root works, after sudo has asked for a password if there is a terminal to ask on.
may_be_root() {
	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || return
	sudo -n true 2>/dev/null || { [ -t 2 ] && sudo -v; }
}

# Runs apt-get as root when no other script does, which apt-get itself would not wait for with its lists.
apt() {
	as_root flock /run/lock/pg_steward.apt env LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=yes \
		apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# Refreshes apt's package lists, once per script; a source that does not answer is apt's to report, not fatal.
apt_updated=
apt_update() {
	[ -z "$apt_updated" ] || return 0
	apt_updated=yes
	say "Reading the lists of Debian's packages ..."
	apt -qq update >/dev/null || say "apt-get update failed"
}

# Says whether there is what the scripts use Debian's package $1 for, whoever installed it.
has() {
	local major=${1##*-}
	case $1 in
		postgresql-server-dev-*) is_complete "/usr/lib/postgresql/$major/bin/pg_config" ;;
		postgresql-[0-9]*) [ -x "/usr/lib/postgresql/$major/bin/postgres" ] ;;
		libc6-dev) [ -e /usr/include/stdio.h ] ;;
		libssl-dev) "${CC:-gcc}" -fsyntax-only -include openssl/evp.h -x c /dev/null 2>&1 ;;
		locales) [ -e /usr/share/i18n/SUPPORTED ] ;;
		libipc-run-perl) perl -MIPC::Run -e 1 2>/dev/null && command -v prove ;;
		lib* | *-keyring | python3-* | ruby-*) dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep 'ok installed' ;;
		*) PATH=$PATH:/usr/sbin command -v "$1" ;;
	esac >/dev/null
}

# Prints what apt says that installing packages costs; nothing if it does not say.
cost_of() {
	apt --assume-no --no-install-recommends install "$@" 2>/dev/null | awk '
		/^Need to get/ { fetch = $4 " " $5 }
		/^After this operation.*used/ {
			size = $4 " " $5
			gsub(",", "", $4)
			megabytes = $4 * ($5 == "GB" ? 1000 : $5 == "kB" ? 0.001 : 1)
		}
		END {
			minutes = 1 + int(megabytes / 800)
			if (size) print " (" fetch " to fetch, " size " on the disk, some " (minutes > 1 ? minutes " minutes" : "minute") ")"
		}'
}

# Installs packages, as root and in a shell of its own. Debian has two files that keep it from starting services and from
# making a database cluster for a new server: they are there meanwhile. Prints how far it has come.
install_packages() {
	local stage percent shown=
	policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.d/pg_steward.conf
	ours=("$(mktemp)")
	trap 'rm -f "${ours[@]}"; rmdir --ignore-fail-on-non-empty "$(dirname "$cluster")" 2>/dev/null' EXIT
	if [[ " $* " == *" postgresql-"* ]]; then
		ours+=("$cluster")
		mkdir -p "${cluster%/*}"
		echo 'create_main_cluster = false' >"$cluster"
	fi
	if [ ! -e "$policy" ]; then
		ours+=("$policy")
		# Should this shell be killed, its policy ends with it.
		printf '#!/bin/sh\nkill -0 %d 2>/dev/null || exit 104\nexit 101\n' $$ >"$policy"
		chmod +x "$policy"
	fi
	{
		apt -y --no-install-recommends --no-remove -o APT::Status-Fd=3 install "$@" 3>&1 >"${ours[0]}" 2>&1 || echo failed
	} | while IFS=: read -r stage _ percent _; do
		case $stage in
			dlstatus) stage=fetched ;;
			pmstatus) stage=installed ;;
			failed) tail -n 20 "${ours[0]}" >&2; exit 1 ;;
			*) continue ;;
		esac
		percent=$((${percent%%.*} / 20 * 20))
		[ "$percent" = 0 ] || [ "$stage $percent" = "$shown" ] || say "  $stage $percent %"
		shown="$stage $percent"
	done
}

# Installs those of the named Debian packages that are missing; $installed names them from then on.
installed=()
need() {
	local package missing=()
	for package; do has "$package" || missing+=("$package"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "install what Debian has in packages ${missing[*]}, and try again"
	may_be_root || die "packages are missing, and you are neither root nor may you use sudo. Have somebody who is run:" \
		"apt-get update && apt-get install --no-install-recommends ${missing[*]}"
	apt_update
	say "Installing ${missing[*]}$(cost_of "${missing[@]}") ..."
	# shellcheck disable=SC2016
	as_root bash -c '. "$0"; install_packages "$@"' "$tree/script/lib.sh" "${missing[@]}" ||
		die "cannot install ${missing[*]}"
	installed+=("${missing[@]}")
}

# Makes the programs of Debian packages usable without installing them, since their services would start with the
# machine: unpacks them in $scratch and puts them on the path. What they are linked with is installed.
borrow() {
	local package archive libraries
	for package; do
		! has "$package" || continue
		archive=("$cache/packages/$package"_*.deb)
		if [ ! -e "${archive[0]}" ]; then
			[ -n "$(apt-cache policy "$package")" ] || ! may_be_root || apt_update
			say "Fetching the programs of $package ..."
			mkdir -p "$cache/packages"
			(cd "$cache/packages" && apt-get -qq download "$package" >/dev/null 2>&1) || die "cannot fetch $package"
			archive=("$cache/packages/$package"_*.deb)
		fi
		mapfile -t libraries < <(dpkg-deb -f "${archive[0]}" Depends | tr , '\n' | sed -nE '/libjs-/d; s/^ *(lib[^ ]+).*/\1/p')
		need "${libraries[@]}"
		dpkg-deb -x "${archive[0]}" "$scratch/programs"
	done
	export PATH="$PATH:$scratch/programs/usr/bin:$scratch/programs/usr/sbin"
}

# Prints the major version of the server that pg_config $1 belongs to; fails when it has none.
major_of() {
	[ -x "$(command -v "$1")" ] && [ -x "$("$1" --bindir)/postgres" ] &&
		"$1" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'
}

# Says whether the server of pg_config $1 comes with what extensions are built and tested with.
is_complete() {
	local pgxs
	[ -x "$(command -v "$1")" ] && pgxs=$("$1" --pgxs) && [ -e "$pgxs" ] &&
		[ -e "$("$1" --includedir-server)/postgres.h" ] && [ -x "${pgxs%/makefiles/*}/test/regress/pg_regress" ]
}

# Prints the pg_config of major version $1 with all that belongs to it: $PG_CONFIG, the one on the path or Debian's;
# fails when there is none.
find_pg_config() {
	local candidate
	for candidate in "${PG_CONFIG:-}" pg_config "/usr/lib/postgresql/$1/bin/pg_config"; do
		if [ -n "$candidate" ] && [ "$(major_of "$candidate")" = "$1" ] && is_complete "$candidate"; then
			echo "$candidate"
			return
		fi
	done
	return 1
}

# Prints the major version that apt's lists hold; fails when they hold none.
archive_server() {
	apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | grep .
}

# Prints the major version this machine is for: $PG_CONFIG's, the newest installed, else the one its archive holds.
default_server() {
	local server codename
	if major_of "${PG_CONFIG:-pg_config}"; then return; fi
	[ -z "${PG_CONFIG:-}" ] || die "PG_CONFIG, $PG_CONFIG, belongs to no server"
	server=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | grep -oE '[0-9]+' | sort -rn | sed -n 1p)
	if [ "${server:-0}" -ge 15 ]; then echo "$server"; return; fi
	command -v apt-get >/dev/null || die "no PostgreSQL server found; set PG_CONFIG"
	if archive_server; then return; fi
	# Debian's own releases are known without apt's lists.
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	for server in $(printf '%s\n' "${!suites[@]}" | sort -n); do
		if [ "${suites[$server]}" = "$codename" ]; then echo "$server"; return; fi
	done
	! may_be_root || apt_update
	archive_server || die "no PostgreSQL server found, neither here nor in apt's lists"
}

# Says whether server $1, major version or major-ARCH, is installed here or in this machine's own archive.
is_native() {
	[[ $1 != *-* ]] || [ "${1#*-}" = "$(dpkg --print-architecture)" ] || return 1
	find_pg_config "${1%-*}" >/dev/null && return
	command -v apt-get >/dev/null || return 1
	[ "$(default_server)" != "${1%-*}" ] || return 0
	[ -n "$(apt-cache search --names-only '^postgresql-server-dev-')" ] || ! may_be_root || apt_update
	[ -n "$(apt-cache search --names-only "^postgresql-server-dev-${1%-*}\$")" ]
}

# Sets pg_config and bindir for server $1, after installing what is missing of it, of what builds extensions, and of the
# further packages named.
use_server() {
	local major=${1%-*} packages=(make gcc libc6-dev libssl-dev "${@:2}")
	if ! find_pg_config "$major" >/dev/null; then
		[ -z "${PG_CONFIG:-}" ] || [ "$(major_of "$PG_CONFIG")" != "$major" ] ||
			die "the server of $PG_CONFIG lacks postgres.h, pgxs.mk or pg_regress"
		packages=("postgresql-$major" "postgresql-server-dev-$major" "${packages[@]}")
	fi
	need "${packages[@]}"
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
	# LANG is for the servers of TAP tests
	export LOCPATH=$scratch/locale LANG=tr_TR.UTF-8
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

# Prints the tree as a tar file: as a release has it, with changes that are not committed, or all there is without git.
released_tree() {
	local commit
	if commit=$(git -C "$tree" stash create 2>/dev/null); then
		git -C "$tree" archive --worktree-attributes "${commit:-HEAD}"
	else
		tar -C "$tree" -cf - .
	fi
}

# Builds the tree in $scratch/src, stages it, and writes the settings that find it to $scratch/stage.conf, so that
# nothing is installed into the system; $STEWARD_SERVER_CONF may name a file of further settings, which win.
build() {
	local make=(make -s with_llvm="$with_llvm" PG_CONFIG="$pg_config")
	say "Building pg_steward for PostgreSQL $(major_of "$pg_config") ..."
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
		[ -z "${STEWARD_SERVER_CONF:-}" ] || cat "$STEWARD_SERVER_CONF"
	} >"$scratch/stage.conf"
	chmod a+r "$scratch/stage.conf"
}

# Boots a server that runs the staged build, listens on a socket only, and is PGHOST, PGPORT and PGUSER from here on.
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
	} | as_server tee -a "$scratch/data/postgresql.conf" >/dev/null
	as_server "$bindir/pg_ctl" -D "$scratch/data" -l "$scratch/server.log" -w start >/dev/null ||
		{ tail -n 20 "$scratch/server.log" >&2; die "the server did not start"; }
	export PGHOST=$scratch PGPORT=5432 PGUSER=$superuser PATH="$bindir:$PATH"
}

# Runs a command in the Debian chroot $root. It sees its own processes and mounts only, so that all of them end with it;
# where namespaces are forbidden, as in most containers, it does without /proc.
inside() {
	local run=(chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 STEWARD_CHROOT="$root"
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"})
	if unshare --mount --pid --fork mount -t proc proc "$root/proc" 2>/dev/null; then
		unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" "${run[@]}" "$@"
	else
		"${run[@]}" "$@"
	fi
}

# Prints the address of the Debian mirror that this machine's apt uses, or of the archive with another label.
mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(SITE)' "Label: ${1:-Debian}" | sort -u | sed -n 1p
}

# Bootstraps $root with Debian release $1 and the given options of debootstrap, under another name until it is whole.
# Its apt works as this machine's does. What has been released gets security updates, and with them new minor versions,
# if their archive answers.
bootstrap() {
	local suite=$1 template=/usr/share/debootstrap/scripts/$1 partial=$root.partial security
	shift
	# Every Debian release since etch is made by the one script; an old debootstrap may not know the new name.
	[ -e "$template" ] || template=/usr/share/debootstrap/scripts/sid
	rm -rf --one-file-system "$partial"
	debootstrap --variant=minbase "$@" "$suite" "$partial" "$(mirror)" "$template" || return
	cp /etc/resolv.conf "$partial/etc/resolv.conf"
	echo "127.0.0.1 localhost $(hostname)" >"$partial/etc/hosts"
	apt-config dump | grep -E '^Acquire::https?::Proxy' >"$partial/etc/apt/apt.conf.d/90host" || :
	# A mirror may lag behind its Valid-Until; and the packages are for a test, not to be kept safe from power loss.
	echo 'Acquire::Check-Valid-Until "false";' >>"$partial/etc/apt/apt.conf.d/90host"
	echo force-unsafe-io >"$partial/etc/dpkg/dpkg.cfg.d/chroot"
	printf 'path-exclude=/usr/share/%s/*\n' doc man locale >>"$partial/etc/dpkg/dpkg.cfg.d/chroot"
	mv "$partial" "$root"
	security=$(mirror Debian-Security)
	if [ -n "$security" ] && [[ $suite != @(forky|sid) ]]; then
		echo "deb $security $suite-security main" >"$root/etc/apt/sources.list.d/security.list"
		inside apt-get -qq -o APT::Update::Error-Mode=any update || rm "$root/etc/apt/sources.list.d/security.list"
	fi
}
