#!/usr/bin/env bash
# What ./dev runs. Each command installs what it needs (Debian 12 packages), builds what it needs, and says what it does.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}

build_packages="g++ cmake ninja-build pkg-config ccache libtorch-dev libgloo-dev libopenblas0-pthread libhwy-dev libinsighttoolkit5-dev libgdcm-dev
  libdeflate-dev zlib1g-dev nlohmann-json3-dev libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev libpng-dev libssl-dev libdcmtk-dev libsqlite3-dev
  libcurl4-openssl-dev libhpdf-dev libcpp-httplib-dev libsodium-dev fonts-dejavu-core libgtest-dev libgmock-dev"
test_packages="dcmtk orthanc orthanc-dicomweb dicom3tools python3-pydicom poppler-utils"
bench_packages="libbenchmark-dev"
lint_packages="clang-format python3 python3-yaml"
sanitize_packages="clang libclang-rt-14-dev"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# Installs the packages that are missing, as root or through sudo.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "Installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Please install as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# configure FOLDER [cmake options]: quiet unless it fails.
configure() {
  local folder=$1
  shift
  mkdir -p "$folder"
  cmake -S . -B "$folder" -G Ninja "$@" >"$folder/configure.log" 2>&1 || { tail -n 40 "$folder/configure.log" >&2; exit 1; }
}

cmd_setup() { need $build_packages; }

cmd_build() {
  cmd_setup
  say "Building build/release/vesal"
  configure build/release -DCMAKE_BUILD_TYPE=Release
  cmake --build build/release -j"$jobs" --target "${@:-vesal}"
}

cmd_test() {
  need $test_packages
  cmd_build all
  say "Testing"
  ctest --test-dir build/release --output-on-failure "$@"
}

cmd_demo() {
  cmd_build
  build/release/vesal demo -o out/demo "$@"
}

sources() { git ls-files --cached --others --exclude-standard -- '*.cpp' '*.h'; }

cmd_format() {
  need $lint_packages
  sources | xargs -r clang-format -i
}

cmd_lint() {
  need $lint_packages
  sources | xargs -r clang-format --dry-run --Werror
  python3 scripts/check_includes.py
  python3 deploy/check.py
  local script
  for script in dev .ci/run scripts/*.sh; do bash -n "$script"; done
  say "Clean"
}

cmd_bench() {
  cmd_setup
  need $bench_packages
  configure build/bench -DCMAKE_BUILD_TYPE=Release -DVESAL_BENCH=ON -DVESAL_TESTS=OFF
  cmake --build build/bench -j"$jobs"
  bench/run.sh build/bench "$@"
}

# The page into web/dist, which the next build puts into the program. Node.js 18 or later.
cmd_web() {
  command -v npm >/dev/null || need nodejs npm
  [ -x /usr/bin/chromium ] || need chromium
  say "Building web/dist"
  (cd web && npm ci --no-audit --no-fund --silent && npm run --silent build)
  cmd_build
  say "Testing the page"
  (cd web && npm test)
}

# A .deb in build/package, for Debian 12.
cmd_package() {
  need dpkg-dev
  cmd_build all
  say "Packing"
  (cd build/release && cpack -B ../package >cpack.log) || { tail -n 40 build/release/cpack.log >&2; exit 1; }
  rm -rf build/package/_CPack_Packages
  ls build/package/*.deb
}

# Everything below libtorch, with AddressSanitizer and UndefinedBehaviorSanitizer: the tests, then each fuzz target for FUZZ_SECONDS.
cmd_sanitize() {
  cmd_setup
  need $sanitize_packages
  configure build/sanitize -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang \
    -DVESAL_TORCH=OFF -DVESAL_SANITIZE=address,undefined -DVESAL_FUZZ=ON
  cmake --build build/sanitize -j"$jobs"
  # Absurd sizes are to come back as "no memory", as they do without sanitizers.
  export ASAN_OPTIONS=allocator_may_return_null=1 LSAN_OPTIONS=suppressions=$PWD/scripts/leaks.txt:print_suppressions=0
  ctest --test-dir build/sanitize --output-on-failure
  local target name
  for target in build/sanitize/fuzz_*; do
    [ -x "$target" ] || continue
    name=${target##*/fuzz_}
    say "Fuzzing $name for ${FUZZ_SECONDS:-60} s"
    mkdir -p "build/sanitize/corpus/$name"
    "$target" -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=4096 -timeout=20 -print_final_stats=0 -verbosity=0 \
      -artifact_prefix="build/sanitize/crash-$name-" "build/sanitize/corpus/$name" "fuzz/corpus/$name"
  done
  say "Clean"
}

cmd_help() {
  cat <<'TEXT'
./dev demo       install, build, segment a phantom CT, leave the mask and a picture in out/demo
./dev test       install, build and run every test (what CI runs); arguments go to ctest
./dev build      install and build build/release/vesal
./dev format     format the sources          ./dev lint      check format and layering
./dev bench      measure                     ./dev sanitize  tests and fuzz targets under sanitizers
./dev package    a .deb for Debian 12 in build/package
./dev web        the page of vesal serve, built and tested
JOBS=N sets how many compilers run at once; FUZZ_SECONDS=N how long each fuzz target runs.
TEXT
}

command=${1:-help}
shift || true
case "$command" in
  setup | build | test | demo | format | lint | bench | sanitize | package | web | help) "cmd_$command" "$@" ;;
  *) cmd_help >&2; exit 2 ;;
esac
