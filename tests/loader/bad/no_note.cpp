// A shared object, but nobody's plugin.
extern "C" int answer() {
  return 42;
}
