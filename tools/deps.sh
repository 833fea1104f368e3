#!/usr/bin/env bash
# Provides what a build needs: compiler and build tools, Botan >= 3.12 and Catch2 >= 3.
#
# `./dev` sources this file and calls deps_ensure; run by itself it does the same and then prints
# the folders to put into PKG_CONFIG_PATH, joined by colons (nothing if no such folder is needed).
#
# On Debian, packages that are missing are installed with apt-get (as root, or by sudo). A library
# that the machine's packages do not offer new enough is built from Debian's own source package of
# a newer release into a cache folder, once: neither the system's apt configuration nor any system
# folder is touched for that. On other systems nothing is installed, only checked.

set -euo pipefail

deps_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/step.sh
. "$deps_dir/step.sh"

deps_botan_minimum=3.12
deps_catch2_minimum=3.4
# The Debian release that the sources come from: the first one with a Botan that is new enough.
deps_source_suite=trixie

deps_cache() {
  printf '%s\n' "${TLSCONNECT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tlsconnect}"
}

deps_is_debian() {
  [[ -r /etc/os-release ]] && command -v apt-get >/dev/null && command -v dpkg >/dev/null &&
    [[ $(. /etc/os-release && printf '%s' "${ID:-}") == debian ]]
}

deps_system_id() {
  # A library built by one release's compiler is not for another release or CPU.
  (. /etc/os-release && printf '%s%s-%s' "${ID:-unknown}" "${VERSION_ID:-}" "$(uname -m)")
}

# --- packages -----------------------------------------------------------------------------------

deps_as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo -n "$@"
  fi
}

deps_can_be_root() {
  ((EUID == 0)) || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# Asks for the password while the terminal is free, so that the steps after it need not.
deps_need_root() {
  if deps_can_be_root; then
    return
  fi
  if ! command -v sudo >/dev/null; then
    die "These packages are missing, and installing them needs root: $*" \
      "Run this as root, or let root run:  apt-get install $*"
  fi
  if ! sudo -v; then
    die "sudo was refused. Let root run:  apt-get install $*"
  fi
}

deps_apt_update() {
  deps_as_root apt-get -o DPkg::Lock::Timeout=300 -o APT::Update::Error-Mode=any update
}

deps_apt_install() {
  deps_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

deps_updated=no
deps_update_once() {
  if [[ $deps_updated == no ]]; then
    deps_need_root "$@"
    step_hint="Check this machine's apt sources and its network, then run this again."
    step "Reading the lists of packages" deps_apt_update
    deps_updated=yes
  fi
}

# deps_install PACKAGE...: for packages that are known to be missing.
deps_install() {
  deps_update_once "$@"
  step_hint="Repair what apt-get reports above, then run this again."
  step "Installing $*" deps_apt_install "$@"
}

# The same for packages of which some may be there.
deps_install_absent() {
  local package missing=()
  for package in "$@"; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} > 0)); then
    deps_install "${missing[@]}"
  fi
}

# The version that apt would install, or nothing.
deps_candidate() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || true
}

deps_candidate_at_least() {
  local candidate
  candidate=$(deps_candidate "$1")
  [[ -n $candidate ]] && dpkg --compare-versions "$candidate" ge "$2"
}

# Prints the Debian packages of the commands and files that are missing.
deps_missing_tools() {
  local command package
  while read -r command package; do
    command -v "$command" >/dev/null || printf '%s\n' "$package"
  done <<'END'
g++ g++
meson meson
ninja ninja-build
pkg-config pkgconf
python3 python3
openssl openssl
gnutls-serv gnutls-bin
END
  # Where Botan and the tests look for the system's trusted certificates.
  [[ -r /etc/ssl/certs/ca-certificates.crt ]] || printf 'ca-certificates\n'
}

# The same for the libraries that decompress certificates. Without one the library builds, too, but cannot do what that
# one would let it do, so that its tests would show less.
deps_missing_decompressors() {
  local module package
  while read -r module package; do
    pkg-config --exists "$module" 2>/dev/null || printf '%s\n' "$package"
  done <<'END'
zlib zlib1g-dev
libbrotlidec libbrotli-dev
libzstd libzstd-dev
END
}

# --- sources ------------------------------------------------------------------------------------

# The addresses of the Debian archive and of the security archive that this machine uses, in that
# order. They come from its apt configuration, so that the sources come over the same (perhaps
# local) mirror, through the same proxies, as everything else the machine installs.
deps_mirrors() {
  # shellcheck disable=SC2016 # apt's variables, not the shell's
  local format='$(REPO_URI)|$(RELEASE)|$(LABEL)'
  local uri suite label main='' security='' by_suite_main='' by_suite_security=''
  while IFS='|' read -r uri suite label; do
    uri=${uri%/}
    case $uri in
      cdrom:* | file:* | copy:*) continue ;; # may well hold no sources
    esac
    # Labels are known only after an `apt-get update`; until then the suite's name has to do.
    case $label in
      Debian) main=${main:-$uri} ;;
      Debian-Security) security=${security:-$uri} ;;
    esac
    case $suite in
      *-security | */updates) by_suite_security=${by_suite_security:-$uri} ;;
      *-backports | *-proposed-updates) ;;
      *) by_suite_main=${by_suite_main:-$uri} ;;
    esac
  done < <(apt-get indextargets --format "$format" 'Created-By: Packages')
  main=${main:-$by_suite_main}
  security=${security:-$by_suite_security}
  if [[ -z $main ]]; then
    echo "apt's configuration names no network mirror of the Debian archive" >&2
    return 1
  fi
  if [[ -z $security ]]; then
    # By custom the two archives are siblings on a mirror.
    case $main in
      */debian) security=${main}-security ;;
      */debian/*) security=${main/\/debian\//\/debian-security\/} ;;
      *) security=$main ;;
    esac
  fi
  printf '%s\n%s\n' "$main" "$security"
}

deps_keyring() {
  local keyring
  for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
    if [[ -r $keyring ]]; then
      printf '%s\n' "$keyring"
      return
    fi
  done
  return 1
}

deps_keyring_is_recent() {
  compgen -G "/usr/share/keyrings/debian-archive-$deps_source_suite-automatic.*" >/dev/null
}

# deps_fetch_source PACKAGE FOLDER: downloads and unpacks the newest source package of the suite
# into FOLDER/source. apt checks the archive's signature on the suite's index with Debian's
# keyring, and by that index the checksum of every file; dpkg-source applies Debian's patches.
deps_fetch_source() {
  local package=$1 folder=$2 keyring mirrors main security
  keyring=$(deps_keyring) || {
    echo "Debian's archive keyring is not installed (package debian-archive-keyring)" >&2
    return 1
  }
  mirrors=$(deps_mirrors) || return 1
  { read -r main && read -r security; } <<<"$mirrors"

  mkdir -p -- "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/download"
  cat >"$folder/apt/sources.list" <<END
deb-src [signed-by=$keyring] $main $deps_source_suite main
deb-src [signed-by=$keyring] $main $deps_source_suite-updates main
deb-src [signed-by=$keyring] $security $deps_source_suite-security main
END
  # Everything apt reads and writes lies in this folder. The machine's apt.conf still counts (it
  # may hold a proxy), but not its hooks, its pinning and its default release.
  cat >"$folder/apt/apt.conf" <<END
Dir::Etc::sourcelist "$folder/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State::lists "$folder/apt/lists";
Dir::Cache "$folder/apt/cache";
APT::Default-Release "";
APT::Update::Error-Mode "any";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  apt-get --config-file "$folder/apt/apt.conf" update || return 1
  (cd -- "$folder/download" &&
    apt-get --config-file "$folder/apt/apt.conf" source --download-only "$package") || return 1
  # The maintainer's signature is not checked once more (that would take the whole keyring of the
  # Debian developers): apt has just checked the .dsc by the archive's signature.
  dpkg-source -x "$folder"/download/*.dsc "$folder/source" || return 1
  rm -rf -- "$folder/apt"
}

# The upstream version of the source package that lies in FOLDER/download: 3.12.0+dfsg-2 -> 3.12.0
deps_source_version() {
  sed -n 's/^Version: \([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p' "$1"/download/*.dsc | head -n 1
}

# --- libraries ----------------------------------------------------------------------------------

deps_botan_modules() {
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$deps_dir/../subprojects/packagefiles/botan/modules.txt" | paste -sd , -
}

# deps_build_NAME SOURCE PREFIX STAGE: builds, and installs to STAGE/PREFIX.

# configure.py's --amalgamation joins all of Botan into one source file. With few cores that is much
# the quickest way to build it (on two cores: 200 seconds instead of 450), but it takes a single
# compiler process of 3 GB.
deps_botan_amalgamation_fits() {
  local available
  available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo 2>/dev/null) || return 1
  (($(nproc) <= 4 && ${available:-0} >= 4000000))
}

deps_build_botan() {
  local source=$1 prefix=$2 stage=$3 options
  # No shared library: programs that are linked to a library in a cache folder would stop working
  # without it. The compiler is GCC whatever the project itself is built with, so that one
  # library serves all build folders.
  options=(--cc=gcc --cc-bin=g++ --build-tool=ninja --build-targets=static
    --minimized-build --enable-modules="$(deps_botan_modules)" --disable-shared-library
    --without-documentation --no-install-python-module --without-compilation-database
    --system-cert-bundle=/etc/ssl/certs/ca-certificates.crt
    --prefix="$prefix" --libdir=lib)
  cd -- "$source" || return 1
  if ! deps_botan_amalgamation_fits || ! python3 ./configure.py "${options[@]}" --amalgamation ||
    ! ninja; then
    # A memory limit that is not in /proc/meminfo may have stopped the compiler: in small pieces.
    python3 ./configure.py "${options[@]}" || return 1
    ninja -j "$(nproc)" || return 1
  fi
  DESTDIR=$stage ninja install || return 1
}

deps_build_catch2() {
  cd -- "$1" || return 1
  CXX=g++ meson setup build --prefix="$2" --libdir=lib --buildtype=release \
    --default-library=static -Dtests=false -Dcpp_std=c++17 || return 1
  ninja -C build -j "$(nproc)" || return 1
  DESTDIR=$3 ninja -C build install || return 1
}

# Changes when the recipe does, so that a new recipe gets a new folder.
deps_recipe_hash() {
  {
    deps_system_id
    declare -f "deps_build_$1"
    if [[ $1 == botan ]]; then
      deps_botan_modules
    fi
  } | sha256sum | cut -c 1-12
}

# deps_built NAME: the prefix of the newest finished build by the present recipe, or failure.
deps_built() {
  local hash prefix newest=
  hash=$(deps_recipe_hash "$1")
  for prefix in "$(deps_cache)/$1"-*-"$hash"; do
    if [[ -e $prefix/.complete ]]; then
      if [[ -z $newest ]] || dpkg --compare-versions "${prefix##*/}" gt "${newest##*/}"; then
        newest=$prefix
      fi
    fi
  done
  [[ -n $newest ]] && printf '%s\n' "$newest"
}

# deps_build NAME SOURCE-PACKAGE MINIMUM TITLE: makes sure that deps_built NAME succeeds.
deps_build() {
  local name=$1 package=$2 minimum=$3 title=$4 cache work version prefix lock
  cache=$(deps_cache)
  mkdir -p -- "$cache"
  exec {lock}>"$cache/$name.lock"
  if ! flock --nonblock "$lock"; then
    echo "  Another process is building $title: waiting for it"
    flock "$lock"
  fi
  # The lock may have been held by a process that did our work.
  if ! deps_built "$name" >/dev/null; then
    # What is left of an interrupted build; nobody else can be at work in there.
    rm -rf -- "$cache/$name.tmp"
    work=$cache/$name.tmp
    mkdir -- "$work"

    step_hint="Check this machine's apt sources and its network, then run this again."
    step "Downloading the source of $title" deps_fetch_source "$package" "$work"
    version=$(deps_source_version "$work")
    if ! dpkg --compare-versions "$version" ge "$minimum"; then
      die "The mirror's $package is $version, but $minimum is needed." \
        "A mirror that carries Debian's security archive has it."
    fi
    prefix=$cache/$name-$version-$(deps_recipe_hash "$name")
    step_hint="The half-built tree is in $work."
    step "Building $title $version (minutes, but only once)" "deps_build_$name" "$work/source" "$prefix" "$work/stage"

    # The cache may be moved, or restored in another place.
    sed -i "s|^prefix=.*|prefix=\${pcfiledir}/../..|" "$work/stage/$prefix"/lib/pkgconfig/*.pc
    # The stamp and the folder appear at once or not at all.
    : >"$work/stage/$prefix/.complete"
    rm -rf -- "$prefix"
    mv -- "$work/stage/$prefix" "$prefix"
    rm -rf -- "$work"
  fi
  exec {lock}>&-
}

# --- the whole ----------------------------------------------------------------------------------

# Folders for PKG_CONFIG_PATH, joined by colons; set by deps_ensure.
deps_pkg_config_path=

deps_have_botan() {
  pkg-config --atleast-version="$deps_botan_minimum" botan-3 2>/dev/null
}

deps_have_catch2() {
  pkg-config --atleast-version="$deps_catch2_minimum" catch2-with-main 2>/dev/null
}

# What fetching and unpacking a source package needs beyond the tools of a build.
deps_missing_source_tools() {
  command -v dpkg-source >/dev/null || printf 'dpkg-dev\n'
  command -v xz >/dev/null || printf 'xz-utils\n'
  # A keyring from before the suite's release cannot check it; an upgrade can.
  deps_keyring_is_recent || printf 'debian-archive-keyring\n'
}

# The libraries: name, Debian's development package, its source package, least version, title.
deps_libraries() {
  cat <<END
botan libbotan-3-dev botan3 $deps_botan_minimum Botan
catch2 catch2 catch2 $deps_catch2_minimum Catch2
END
}

# A library is taken from what is installed, else from what was built before, else from the
# machine's packages, else from Debian's sources.
deps_ensure_debian() {
  local packages absent=() from_source=() line name dev source minimum title prefix
  mapfile -t packages < <(deps_missing_tools && deps_missing_decompressors)
  while read -r line; do
    read -r name dev source minimum title <<<"$line"
    if ! "deps_have_$name" && ! deps_built "$name" >/dev/null; then
      absent+=("$line")
    fi
  done < <(deps_libraries)

  # Choose by fresh lists, or at least by any (a new container often has none).
  if ((${#packages[@]} > 0)); then
    deps_update_once "${packages[@]}"
  elif ((${#absent[@]} > 0)) && [[ -z $(apt-cache madison g++) ]] && deps_can_be_root; then
    deps_update_once
  fi
  for line in "${absent[@]}"; do
    read -r name dev source minimum title <<<"$line"
    if deps_candidate_at_least "$dev" "$minimum"; then
      packages+=("$dev")
    else
      from_source+=("$line")
    fi
  done
  if ((${#from_source[@]} > 0)); then
    mapfile -t -O "${#packages[@]}" packages < <(deps_missing_source_tools)
  fi
  if ((${#packages[@]} > 0)); then
    deps_install "${packages[@]}"
  fi

  for line in "${from_source[@]}"; do
    read -r name dev source minimum title <<<"$line"
    deps_build "$name" "$source" "$minimum" "$title"
  done
  while read -r name dev source minimum title; do
    if ! "deps_have_$name"; then
      prefix=$(deps_built "$name") || die "$title was installed, but pkg-config does not find it."
      deps_pkg_config_path+=${deps_pkg_config_path:+:}$prefix/lib/pkgconfig
    fi
  done < <(deps_libraries)
}

deps_ensure_other() {
  local missing=() needed
  for needed in meson ninja pkg-config; do
    command -v "$needed" >/dev/null || missing+=("$needed")
  done
  if ((${#missing[@]} > 0)); then
    die "Please install with this system's package manager: ${missing[*]}," \
      "a C++23 compiler (GCC 12, Clang 17 or newer), Botan $deps_botan_minimum or newer and" \
      "Catch2 $deps_catch2_minimum or newer. (Packages are installed automatically on Debian only.)"
  fi
  if ! deps_have_botan; then
    echo "pkg-config finds no Botan >= $deps_botan_minimum (botan-3): Meson will download and build it."
  fi
  if ! deps_have_catch2; then
    echo "pkg-config finds no Catch2 >= $deps_catch2_minimum (catch2-with-main): Meson will download and build it."
  fi
  for needed in zlib libbrotlidec libzstd; do
    pkg-config --exists "$needed" 2>/dev/null ||
      echo "pkg-config finds no $needed: certificates that are compressed with it will not be accepted."
  done
}

deps_ensure() {
  deps_pkg_config_path=
  if deps_is_debian; then
    deps_ensure_debian
  else
    deps_ensure_other
  fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  trap step_stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # Standard output is for the result.
  deps_ensure >&2
  printf '%s\n' "$deps_pkg_config_path"
fi
