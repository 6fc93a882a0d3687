#!/bin/sh
# Some tests need Chromium, ip (iproute2), curl and PostgreSQL on the system. As root on Debian this script installs them; elsewhere
# it reports what is missing.
missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing="chromium"
command -v ip >/dev/null || missing="$missing iproute2"
command -v curl >/dev/null || missing="$missing curl"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"

if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of words
    if apt-get update -qq && apt-get install -y -qq $missing; then missing=""; fi
fi
[ -z "$missing" ] || echo "This machine lacks (as Debian's packages): $missing. Tests that need it are skipped; with CI=true they fail." >&2
[ "$(id -u)" = 0 ] || echo "You are not root. The multi-network tests are skipped; with CI=true they fail." >&2
