# For every test: `load common`. The programs of this tree come first in PATH, and nothing depends on who runs it.
# shellcheck shell=bash

OG_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
OG_SHARE=$OG_ROOT/share/og
PATH=$OG_ROOT/bin:$PATH
LC_ALL=C
TZ=UTC
export OG_ROOT OG_SHARE PATH LC_ALL TZ
# Programs leave their memory to exit.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

# A port that nobody listens at. Perl's base is in every Debian.
free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport'
}
