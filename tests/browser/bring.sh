#!/bin/sh
# Bring what tests/browser needs into the folder $1: the packages of package-lock.json (hashes checked),
# and a Chromium where the machine has none: that of npm, else Debian's. What cannot be had is said
# here and once more by the tests, which are then skipped.
target=$1
here=$(dirname "$0")
mkdir -p "$target" && cp "$here/package.json" "$here/package-lock.json" "$target/" || exit 1

found=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then found=$name; break; fi
done
if [ -n "$found" ]; then without=--omit=optional; else without=; fi

if command -v npm >/dev/null 2>&1; then
    (cd "$target" && npm ci --silent --no-audit --no-fund --ignore-scripts $without) ||
        echo "tests/browser: npm could not bring its packages" >&2
else
    echo "tests/browser: there is no npm, so that accessibility is not tested" >&2
fi
[ -n "$found" ] && exit 0

unpacked=$(cd "$target" && pwd)/chromium
if [ -d "$target/node_modules/@sparticuz/chromium" ]; then
    mkdir -p "$unpacked"
    # The variable makes the package unpack the libraries and fonts beside the browser too.
    (cd "$target" && TMPDIR=$unpacked AWS_EXECUTION_ENV=AWS_Lambda_nodejs20.x node --input-type=module -e '
        const { default: chromium } = await import("@sparticuz/chromium");
        await chromium.executablePath();') && [ -x "$unpacked/chromium" ] &&
        # The settings of the package look for its fonts in /tmp.
        cat >"$unpacked/fonts/fonts.conf" <<END && exit 0
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>$unpacked/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>$unpacked/fonts/cache</cachedir>
</fontconfig>
END
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing chromium from the distribution"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
echo "tests/browser: no Chromium can be had; its tests will be skipped" >&2
