#!/usr/bin/env bash
# What the code samples are built with, from Debian's packages. Installs what is missing when it may (root), and names
# it otherwise; about 120 MB when all is missing but a compiler.
set -euo pipefail

missing=()

# needs PACKAGE TEST...: the package is missing when the test fails.
needs() {
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}

needs gcc command -v gcc
needs libc6-dev test -e /usr/include/stdio.h
needs libcurl4-openssl-dev command -v curl-config
needs default-jdk-headless command -v javac
needs libokhttp-java test -e /usr/share/java/okhttp.jar
needs golang-go command -v go
needs php-cli command -v php
needs php-curl php -r 'exit(function_exists("curl_init") ? 0 : 1);'
needs php-guzzlehttp-guzzle test -e /usr/share/php/GuzzleHttp/autoload.php
needs ruby command -v ruby
needs r-base-core command -v Rscript
needs r-cran-httr Rscript -e 'library(httr)'

if [ ${#missing[@]} -eq 0 ]; then
	exit 0
elif [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
	echo "The code samples need these packages of Debian: ${missing[*]}" >&2
	exit 1
fi
