// With the address sanitizer: see CMakeLists.txt.
#include "keeps.cpp"
