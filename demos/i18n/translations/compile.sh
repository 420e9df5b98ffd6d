#!/bin/sh
# compile.sh MSGFMT DONE CATALOG.po...: compiles catalogs for gettext, as i18n_catalogs/LANGUAGE/LC_MESSAGES/i18n.mo beside
# the file DONE, which it makes last.
set -eu
msgfmt=$1
done=$2
shift 2
for source in "$@"; do
  folder=$(dirname "$done")/i18n_catalogs/$(basename "$source" .po)/LC_MESSAGES
  mkdir -p "$folder"
  "$msgfmt" --check-format --check-domain --output-file="$folder/i18n.mo" "$source"
done
: >"$done"
