// Loaded into the program with LD_PRELOAD: counts the calls that change files and, at the n-th,
// ends the process at once or lets the call fail. So a test hits every moment of a run of some
// milliseconds, which a timer does not. QSOHOST_STORAGE says what is to happen:
//   "kill N"  SIGKILL in place of the N-th call
//   "fail N"  the N-th call fails
//   "full N"  the N-th call and all later ones that want space fail: the disk is full
//   "quota N"  likewise: the user's quota is exceeded
//   "slow N"  the N-th call takes a second
//   "count FILE"  nothing happens; the number of calls goes into FILE at the end
// After the number, words "CALL" or "CALL PART-OF-PATH" leave all other calls alone and uncounted.
// What is written is never synced: a killed process does not lose what the kernel has.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Plan {
  char what[8] = "";
  long at = 0;
  char call[32] = "";
  char path[256] = "";
  const char* count_file = nullptr;
  pid_t process = 0;
};

std::atomic<long> calls{0};

const Plan& plan() {
  static const Plan made = [] {
    Plan p;
    p.process = getpid();
    const char* text = std::getenv("QSOHOST_STORAGE");
    if (text == nullptr) return p;
    if (std::strncmp(text, "count ", 6) == 0) {
      p.count_file = text + 6;
    } else {
      std::sscanf(text, "%7s %ld %31s %255s", p.what, &p.at, p.call, p.path);
    }
    return p;
  }();
  return made;
}

// A process that is forked to try plugins is not the run.
bool is_the_run() {
  return getpid() == plan().process;
}

__attribute__((constructor)) void begin() {
  plan();
}

__attribute__((destructor)) void end() {
  if (plan().count_file == nullptr || !is_the_run()) return;
  if (std::FILE* file = std::fopen(plan().count_file, "w")) {
    std::fprintf(file, "%ld\n", calls.load());
    std::fclose(file);
  }
}

// 0, or the errno with which the call fails.
int fate(const char* call, const char* path, int error, bool wants_space) {
  const Plan& p = plan();
  if (!is_the_run()) return 0;
  if (p.call[0] != '\0' && std::strcmp(p.call, call) != 0) return 0;
  if (p.path[0] != '\0' && (path == nullptr || std::strstr(path, p.path) == nullptr)) return 0;
  const long n = ++calls;
  if (p.at == 0) return 0;
  if (n == p.at && std::strcmp(p.what, "kill") == 0) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  if (n == p.at && std::strcmp(p.what, "fail") == 0) return error;
  if (n == p.at && std::strcmp(p.what, "slow") == 0) sleep(1);
  if (n >= p.at && wants_space && std::strcmp(p.what, "full") == 0) return ENOSPC;
  if (n >= p.at && wants_space && std::strcmp(p.what, "quota") == 0) return EDQUOT;
  return 0;
}

// Of an open file, if it matters; else nullptr.
const char* path_of(int file, char* buffer, std::size_t size) {
  if (plan().path[0] == '\0') return nullptr;
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, buffer, size - 1);
  if (length < 0) return nullptr;
  buffer[length] = '\0';
  return buffer;
}

// A path in an open folder, as std::filesystem::remove_all names what it removes.
const char* in_folder(int folder, const char* path, char* buffer, std::size_t size) {
  if (folder == AT_FDCWD || path[0] == '/') return path;
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  const ssize_t length = readlink(link, buffer, size);
  if (length < 0 || static_cast<std::size_t>(length) + std::strlen(path) + 2 > size) return path;
  buffer[length] = '/';
  std::strcpy(buffer + length + 1, path);
  return buffer;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool refused(const char* call, const char* path, int error, bool wants_space) {
  const int code = fate(call, path, error, wants_space);
  if (code != 0) errno = code;
  return code != 0;
}

bool refused(const char* call, int file, int error, bool wants_space) {
  char buffer[PATH_MAX];
  return refused(call, path_of(file, buffer, sizeof buffer), error, wants_space);
}

}  // namespace

#define QSOHOST_NEXT(name) static auto* const real = next<decltype(name)>(#name)

extern "C" {

#define QSOHOST_OPEN(name)                                                        \
  int name(const char* path, int flags, ...) {                                    \
    QSOHOST_NEXT(name);                                                           \
    va_list rest;                                                                 \
    va_start(rest, flags);                                                        \
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;        \
    va_end(rest);                                                                 \
    if ((flags & O_CREAT) != 0 && refused("open", path, ENOSPC, true)) return -1; \
    return real(path, flags, mode);                                               \
  }
QSOHOST_OPEN(open)
QSOHOST_OPEN(open64)

ssize_t write(int file, const void* data, size_t size) {
  QSOHOST_NEXT(write);
  if (file > 2 && refused("write", file, ENOSPC, true)) return -1;
  return real(file, data, size);
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t at) {
  QSOHOST_NEXT(pwrite64);
  if (refused("write", file, ENOSPC, true)) return -1;
  return real(file, data, size, at);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  QSOHOST_NEXT(pwrite);
  if (refused("write", file, ENOSPC, true)) return -1;
  return real(file, data, size, at);
}

ssize_t writev(int file, const iovec* data, int count) {
  QSOHOST_NEXT(writev);
  if (file > 2 && refused("write", file, ENOSPC, true)) return -1;
  return real(file, data, count);
}

int ftruncate64(int file, off64_t size) noexcept {
  QSOHOST_NEXT(ftruncate64);
  return refused("ftruncate", file, EIO, false) ? -1 : real(file, size);
}

int rename(const char* from, const char* to) noexcept {
  QSOHOST_NEXT(rename);
  return refused("rename", to, EACCES, false) ? -1 : real(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  QSOHOST_NEXT(mkdir);
  return refused("mkdir", path, ENOSPC, true) ? -1 : real(path, mode);
}

int symlink(const char* from, const char* to) noexcept {
  QSOHOST_NEXT(symlink);
  return refused("symlink", to, ENOSPC, true) ? -1 : real(from, to);
}

int link(const char* from, const char* to) noexcept {
  QSOHOST_NEXT(link);
  return refused("link", to, ENOSPC, true) ? -1 : real(from, to);
}

int unlink(const char* path) noexcept {
  QSOHOST_NEXT(unlink);
  return refused("unlink", path, EBUSY, false) ? -1 : real(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  QSOHOST_NEXT(unlinkat);
  char buffer[PATH_MAX];
  const char* whole = in_folder(folder, path, buffer, sizeof buffer);
  const bool is_folder = (flags & AT_REMOVEDIR) != 0;
  const bool is_refused =
      refused(is_folder ? "rmdir" : "unlink", whole, is_folder ? ENOTEMPTY : EBUSY, false);
  return is_refused ? -1 : real(folder, path, flags);
}

int remove(const char* path) noexcept {
  QSOHOST_NEXT(remove);
  return refused("remove", path, EBUSY, false) ? -1 : real(path);
}

int rmdir(const char* path) noexcept {
  QSOHOST_NEXT(rmdir);
  return refused("rmdir", path, ENOTEMPTY, false) ? -1 : real(path);
}

int fsync(int file) {
  return refused("sync", file, EIO, false) ? -1 : 0;
}

int fdatasync(int file) {
  return refused("sync", file, EIO, false) ? -1 : 0;
}
}
