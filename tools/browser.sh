#!/usr/bin/env bash
# The system's Chromium, which the browser tests drive; with the argument `pictures` also what screenshots need, a
# Chinese font and pngquant. Installs what is missing when it may (root), and names it otherwise.
set -euo pipefail

missing=()

has_chromium() {
	command -v chromium || command -v chromium-browser || command -v google-chrome-stable || command -v google-chrome
}

has_chromium >/dev/null || missing+=(chromium)
if [ "${1:-}" = pictures ]; then
	[ -n "$(fc-list :lang=zh-cn 2>/dev/null)" ] || missing+=(fonts-noto-cjk)
	command -v pngquant >/dev/null || missing+=(pngquant)
fi

if [ ${#missing[@]} -eq 0 ]; then
	exit 0
elif [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	echo "installing ${missing[*]} (once)"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
	echo "These packages are needed and missing, and only root may install them: ${missing[*]}" >&2
	exit 1
fi
