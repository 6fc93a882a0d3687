#!/usr/bin/env bash
# The two commands of the README on a bare Debian: tests/bare/run.sh SUITE [COMMAND...]
#
# BOOT=1 runs the commands by a systemd of the chroot's own, booted by systemd-nspawn (Debian: systemd-container).
#
# SUITE is bookworm (12) or trixie (13). In a chroot that has python3, python3-venv, make, git and ca-certificates
# and nothing else, the commit that is checked out here is cloned, and each COMMAND ("make demo" and "make test"
# unless told) is run by an ordinary user, or by root with AS=root. Needs root and debootstrap. The base is kept in
# SAYSO_BARE (~/.cache/sayso/bare); MIRROR is Debian's, this machine's own unless told. How pip, npm and apt reach
# their registries, proxies and certificates included, is taken over from this machine.
set -euo pipefail

suite=${1:?tests/bare/run.sh SUITE [COMMAND...]}
shift
[ $# -gt 0 ] || set -- "make demo" "make test"
repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
cache=${SAYSO_BARE:-${XDG_CACHE_HOME:-$HOME/.cache}/sayso/bare}
base=$cache/$suite${BOOT:+-systemd}
user=${AS:-guest}
[ "$user" = root ] && home=/root || home=/home/$user

say() { echo "bare $suite: $*"; }

[ "$(id -u)" = 0 ] || { say "needs root" >&2; exit 2; }
command -v debootstrap >/dev/null || { say "needs debootstrap (Debian: apt-get install debootstrap)" >&2; exit 2; }

make_base() {
    local from=${MIRROR:-$(apt-get indextargets --format '$(COMPONENT) $(REPO_URI)' 2>/dev/null | sed -n 's/^main //p' | head -n 1)}
    mkdir -p "$cache"
    rm -rf --one-file-system "$base" "$base.part"
    say "making the base, once"
    # shellcheck disable=SC2086 # no address: debootstrap's own
    debootstrap --variant=minbase --include="python3,python3-venv,make,git,ca-certificates${BOOT:+,systemd}" "$suite" "$base.part" $from \
        >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; exit 2; }
    mv "$base.part" "$base"
}

# What of this machine's files says how registries are reached; what is not there is left out.
take_over() {
    local path name
    mkdir -p "$room$home"
    for path in /etc/hosts /etc/resolv.conf /etc/pip.conf /etc/xdg/pip /etc/npmrc /usr/local/share/ca-certificates \
        $(env | sed -nE 's/^[A-Za-z_]*(CERT|CA)[A-Za-z_]*=(\/.*)$/\2/p'); do
        [ -e "$path" ] && [ "$path" != /etc/ssl/certs ] || continue
        mkdir -p "$room$(dirname "$path")"
        cp -aL "$path" "$room$(dirname "$path")/"
    done
    for name in .config/pip .pip .npmrc; do
        [ -e "$HOME/$name" ] || continue
        mkdir -p "$room$home/$(dirname "$name")"
        cp -a "$HOME/$name" "$room$home/$(dirname "$name")/"
    done
    apt-config dump 2>/dev/null | grep -E '^Acquire::(Check-|https?::)' >"$room/etc/apt/apt.conf.d/99machine" || true
    chroot "$room" update-ca-certificates >/dev/null 2>&1
}

make_room() {
    room=$(mktemp -d "$cache/$suite.XXXXXX")
    trap 'rm -rf --one-file-system "$room"' EXIT
    cp -a --reflink=auto "$base/." "$room"
    [ "$user" = root ] || chroot "$room" useradd --create-home --shell /bin/bash "$user"
    take_over
    git clone --quiet --no-local --no-checkout "$repository" "$room$home/sayso"
    git -C "$room$home/sayso" checkout --quiet "$(git -C "$repository" rev-parse HEAD)"
    git -C "$room$home/sayso" remote remove origin
    chroot "$room" chown -R "$user:" "$home"
}

# Its mounts and whatever it leaves running end with the namespaces, however this script ends.
inside() {
    exec unshare --mount --propagation private --pid --fork --kill-child bash -euc '
        room=$1 user=$2 home=$3 command=$4
        shift 4
        mount -t proc proc "$room/proc"
        mount --rbind /sys "$room/sys"
        mount --rbind /dev "$room/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$room/dev/shm"
        status=0
        chroot "$room" setpriv --reuid "$user" --regid "$user" --init-groups env --ignore-environment "$@" \
            bash -c "cd $home/sayso && $command" || status=$?
        exit $status  # not by exec: the shell is process 1 there, and has to bury the dead
    ' bash "$room" "$user" "$home" "$1" "${environment[@]}" </dev/null
}

# The same as process of a service, with systemd as process 1; what it prints is shown at the end.
booted() {
    printf '%s\n' "$1" >"$room/bare.sh"
    printf '%s\n' "${environment[@]}" >"$room/bare.env"
    cat >"$room/etc/systemd/system/bare.service" <<UNIT
[Unit]
SuccessAction=exit
FailureAction=exit
FailureActionExitStatus=1
[Service]
Type=oneshot
User=$user
WorkingDirectory=$home/sayso
EnvironmentFile=/bare.env
ExecStart=/bin/bash -eu /bare.sh
StandardOutput=file:/bare.log
StandardError=inherit
UNIT
    ln -sf ../bare.service "$room/etc/systemd/system/multi-user.target.wants/bare.service"
    local status=0
    systemd-nspawn --quiet --directory "$room" --boot --register=no --keep-unit --resolv-conf=off --timezone=off \
        --console=read-only </dev/null >"$room/boot.log" 2>&1 || status=$?
    cat "$room/bare.log" || cat "$room/boot.log"
    return "$status"
}

stop() {
    kill -KILL "${running:-}" && wait "$running"
    exit 1
} 2>/dev/null
trap stop INT TERM HUP

[ -d "$base" ] || make_base
make_room

say "$(git -C "$repository" log -1 --format='%h %s'), $(chroot "$room" python3 --version), as $user"
mapfile -t environment < <(
    env | grep -E '^(PIP_|npm_config_|NPM_CONFIG_|NODE_EXTRA_CA_CERTS=|SSL_CERT_|REQUESTS_CA_BUNDLE=|CI=|[a-zA-Z]+_(proxy|PROXY)=)'
    # Quieter by one: pip.conf may name folders that are not in there.
    printf '%s\n' PIP_QUIET=1 HOME="$home" USER="$user" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
)
for command in "$@"; do
    begun=$SECONDS
    say "$command"
    status=0
    if [ "${BOOT:-}" ]; then booted "$command" & else inside "$command" & fi
    running=$!
    wait "$running" || status=$?
    [ "$status" = 0 ] || { say "FAILED with status $status after $((SECONDS - begun)) s: $command"; exit 1; }
    say "passed in $((SECONDS - begun)) s: $command"
done
