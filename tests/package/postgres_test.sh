#!/usr/bin/env bash
# The installed CMake package: a plugin of its own that speaks to PostgreSQL through
# <qsohost/postgres.hpp> builds and runs, and one that does not needs neither libpq nor pkg-config.
set -euo pipefail
build=$(realpath "${1:?usage: postgres_test.sh BUILD_FOLDER}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
export PATH="$work/prefix/bin:$PATH" CMAKE_PREFIX_PATH="$work/prefix"
unset QSOHOST_PLUGIN_PATH LD_LIBRARY_PATH
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

fail() {
  echo "postgres_test: $*" >&2
  exit 1
}

# build_plugin CMAKE_OPTION...: the plugin of the folder we are in
build_plugin() {
  cmake -S . -B build -G Ninja -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror" "$@" >log 2>&1 ||
    { cat log; fail "$PWD does not configure"; }
  cmake --build build >log 2>&1 || { cat log; fail "$PWD does not build"; }
}

mkdir "$work/names" && cd "$work/names"
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(names LANGUAGES CXX)
find_package(qsohost REQUIRED)
qsohost_add_plugin(names names.cpp LIBRARIES qsohost::postgres)
END
cat >names.cpp <<'END'
#include <qsohost/plugin.hpp>
#include <qsohost/postgres.hpp>

class Names : public qsohost::Fetcher {
 public:
  void validate() const override { qsohost::check_dsn(*dsn); }
  void open(qsohost::Context& context) override {
    qsohost::PgConnection connection(*dsn, [&context] { return context.stop_requested(); });
    qsohost::PgTransaction transaction(connection, qsohost::PgAccess::ReadWrite);
    qsohost::PgCopyIn(transaction, "names (id)").finish();
    transaction.commit();
  }
  void fetch(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override {
    outcomes.for_each(batch, [](const qsohost::Object&) { throw qsohost::NotFound("no name"); });
  }

 private:
  qsohost::Option<std::string> dsn{this, "dsn", qsohost::required, "the database"};
};

QSOHOST_PLUGIN("names", "1.0.0", qsohost::stage<Names>("names", "names of quasars"));
END
build_plugin
printf 'source_id,ra,dec\n1,2,3\n' >targets.csv
# chain DSN: its words end in `log`
chain() {
  printf '[chain]\nname = "n"\nplugins = ["%s"]\n[[stage]]\nuse = "catalog-source"\npath = "targets.csv"\n[[stage]]\nuse = "names"\ndsn = "%s"\n' \
    "$PWD/build/lib/qsohost/plugins/names.so" "$1" >chain.toml
}
chain "host=127.0.0.1 password=hush"
if qsohost --chain chain.toml --check >log 2>&1; then fail "a dsn with a password is good"; fi
grep -q password log || { cat log; fail "its error does not tell of the password"; }
! grep -q hush log || fail "its error shows the password"
chain "no-such-service"
if qsohost --chain chain.toml --run-dir run >log 2>&1; then fail "there is a service no-such-service"; fi
grep -q 'pg_service.conf' log || { cat log; fail "the service is not told of"; }
readelf -d build/lib/qsohost/plugins/names.so | grep -q libpq || fail "names.so does not link libpq"
echo "a plugin with PostgreSQL: good"

mkdir "$work/plain" && cd "$work/plain"
qsohost new filter my-filter >/dev/null
cd my-filter
build_plugin -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON -DCMAKE_DISABLE_FIND_PACKAGE_PostgreSQL=ON \
  -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
if readelf -d build/lib/qsohost/plugins/*.so | grep -q libpq; then fail "a filter links libpq"; fi
ctest --test-dir build --output-on-failure >log || { cat log; fail "the tests in $PWD fail"; }
echo "a plugin without it, where there is neither libpq nor pkg-config: good"
