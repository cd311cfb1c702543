// A resolver that is asked for names by a network that lost its way: no answer for a minute.
#include <netdb.h>
#include <unistd.h>

extern "C" [[gnu::visibility("default")]] int getaddrinfo(const char* /*node*/,
                                                          const char* /*service*/,
                                                          const addrinfo* /*hints*/,
                                                          addrinfo** /*result*/) {
  sleep(60);
  return EAI_AGAIN;
}
