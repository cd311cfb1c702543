// A resolver that is asked for names by a network that lost its way: no answer for a minute. That
// it is asked can be seen by the file QSOHOST_TEST_LOOKUP.
#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include <cstdlib>

extern "C" [[gnu::visibility("default")]] int getaddrinfo(const char* /*node*/,
                                                          const char* /*service*/,
                                                          const addrinfo* /*hints*/,
                                                          addrinfo** /*result*/) {
  if (const char* const file = std::getenv("QSOHOST_TEST_LOOKUP")) {
    ::close(::open(file, O_CREAT | O_WRONLY, 0600));
  }
  sleep(60);
  return EAI_AGAIN;
}
