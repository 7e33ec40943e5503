#!/usr/bin/env bash
# Build the image with buildah, which needs no daemon, and try it: its user, its size, and a day of its life.
# BASE names another base image; without it one of Debian's packages is made, since a registry may be out of reach.
set -euo pipefail
cd "$(dirname "$0")/.."

base="${BASE:-localhost/quotidian-base:bookworm}"
image=localhost/quotidian:test
work="$(mktemp -d)"
container=""
trap '[ -z "$container" ] || buildah rm "$container" >/dev/null; rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

if ! command -v buildah >/dev/null || ! command -v debootstrap >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        buildah crun uidmap netavark debootstrap >/dev/null
fi

if [ -z "${BASE:-}" ] && ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        bookworm "$work/root" http://deb.debian.org/debian >"$work/debootstrap.log" || fail "no base image"
    container="$(buildah from scratch)"
    buildah add --quiet "$container" "$work/root" / >/dev/null
    buildah commit --quiet --rm "$container" "$base" >/dev/null
    container=""
fi

# Certificates and package sources of this machine, where it has its own.
mounts=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
[ ! -e /etc/pip.conf ] || mounts+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
buildah bud --quiet --isolation chroot --network host --format docker --build-arg "BASE=$base" "${mounts[@]}" \
    --tag "$image" . >/dev/null || fail "the image cannot be built"

container="$(buildah from "$image")"
run() {
    buildah run --isolation chroot --network host "$@"
}

[ "$(run "$container" -- id -u)" = 10001 ] || fail "it runs as another user"
run "$container" -- sh -c '! touch /opt/quotidian/x 2>/dev/null' || fail "it can write its own program"
[ "$(run "$container" -- stat -c '%u %a' /data /spool /access | sort -u)" = "10001 700" ] || fail "its data are open to others"
run "$container" -- sh -c '! test -e /opt/quotidian/bin/pip' || fail "pip is in the program's environment"
run "$container" -- sh -c '
    quotidian simulate /tmp/home --home small --days 12 --json >/dev/null &&
    quotidian learn /tmp/home/events.jsonl.gz --data /tmp/store --json >/dev/null &&
    quotidian report /tmp/home.html --data /tmp/store >/dev/null' || fail "it cannot learn"

# The services, on ports that nothing else has, on a root that cannot be written and without any privilege, as the
# compose files run them; validate sends an event all the way through.
root="$(buildah mount "$container")"
unshare --mount sh -eu -c '
    root="$1"
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=700,uid=10001,gid=10001 tmpfs "$root/data"
    for place in proc dev; do mount --rbind "/$place" "$root/$place"; done
    exec setpriv --no-new-privs chroot --userspec=10001:10001 --groups= "$root" /usr/bin/env -i \
        PATH=/opt/quotidian/bin:/usr/local/bin:/usr/bin:/bin HOME=/data QUOTIDIAN_DATA=/data QUOTIDIAN_PORT=18001 \
        PYTHONDONTWRITEBYTECODE=1 sh -c "
            ! touch /x 2>/dev/null || exit 3
            quotidian up & service=\$!
            for attempt in \$(seq 100); do python -m quotidian.operate.alive admin 2>/dev/null && break; sleep 0.2; done
            quotidian validate; passed=\$?
            kill \$service; wait \$service && exit \$passed"
' sh "$root" 2>"$work/log" || { cat "$work/log" >&2; fail "the services do not work in it"; }

echo "The image works: $(buildah images --format '{{.Size}}' "$image") ($(buildah images --format '{{.Size}}' "$base" | head -1) of it the base)."
