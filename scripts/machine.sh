#!/bin/sh
# Some tests need Chromium, ip (iproute2), curl, PostgreSQL and what unpacks xz, bz2 and zst on the system, and
# those of `make ci-full` (`scripts/machine.sh full`) what operators use beside a node, Java and debootstrap. As root
# on Debian this script installs them; elsewhere it reports what is missing.
missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing="chromium"
command -v ip >/dev/null || missing="$missing iproute2"
command -v curl >/dev/null || missing="$missing curl"
command -v xz >/dev/null || missing="$missing xz-utils"
command -v bzip2 >/dev/null || missing="$missing bzip2"
command -v zstd >/dev/null || missing="$missing zstd"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
beside=""
if [ "${1:-}" = full ]; then
    command -v promtool >/dev/null || beside="prometheus"
    command -v caddy >/dev/null || beside="$beside caddy"
    command -v nginx >/dev/null || beside="$beside nginx-light"
    command -v docker-compose >/dev/null || beside="$beside docker-compose"
    command -v systemd-analyze >/dev/null || beside="$beside systemd"
    command -v java >/dev/null || beside="$beside default-jre-headless" # PySpark
    command -v debootstrap >/dev/null || beside="$beside debootstrap" # tests/bare
    command -v systemd-nspawn >/dev/null || beside="$beside systemd-container"
    # What the words of the page mean.
    for pair in eng-ara eng-hin eng-ind eng-por fra-eng spa-deu spa-eng swh-eng; do
        [ -f "/usr/share/dictd/freedict-$pair.index" ] || beside="$beside dict-freedict-$pair"
    done
fi
# Pictures of the page in Hindi and Arabic, which would have boxes for letters.
if [ "${1:-}" = full ] || [ "${1:-}" = fonts ]; then
    [ -n "$(fc-list :lang=hi 2>/dev/null)" ] || beside="$beside fonts-lohit-deva"
    [ -n "$(fc-list :lang=ar 2>/dev/null)" ] || beside="$beside fonts-kacst-one"
fi

if [ -n "$missing$beside" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # lists of words
    if [ -z "$missing" ] || apt-get install -y -qq $missing; then missing=""; fi
    # shellcheck disable=SC2086
    if [ -z "$beside" ] || apt-get install -y -qq --no-install-recommends $beside; then beside=""; fi
fi
missing="$missing$beside"
[ -z "$missing" ] || echo "This machine lacks (as Debian's packages): $missing. Tests that need it are skipped; with CI=true they fail." >&2
[ "$(id -u)" = 0 ] || echo "You are not root. The multi-network tests are skipped; with CI=true they fail." >&2
