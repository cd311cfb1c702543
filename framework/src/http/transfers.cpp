#include "http/transfers.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "http/headers.hpp"
#include "http/proxy_secrets.hpp"
#include "http/url.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kConnectTimeout{20'000};
constexpr long kConnectionsKept = 64;
constexpr int kMostRedirects = 5;
// A body that has begun and then is slower than this is given up.
constexpr std::size_t kSlowBytesPerSecond = 1000;
constexpr milliseconds kSlowFor{30'000};
// libcurl limits the headers in front of a body, but not the trailers behind it.
constexpr std::size_t kMostHeaderBytes = std::size_t{1} << 20;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

long in_ms(milliseconds time) {
  return static_cast<long>(time.count());
}

}  // namespace

struct Transfers::Transfer {
  std::uint64_t id = 0;
  Request request;
  TransferLimits limits;
  Clock::time_point begin = Clock::now();
  int redirects = 0;
  bool is_too_big = false;
  std::size_t header_bytes = 0;
  Clock::time_point mark{};  // slow-body check: bytes received at that time
  std::size_t marked = 0;
  Response response;
  std::array<char, CURL_ERROR_SIZE> error{};
  std::unique_ptr<curl_slist, FreeList> headers;
  std::unique_ptr<CURL, FreeEasy> easy;

  void set_up();
  void add_header(const std::string& text);
  bool take_header(std::string_view line);
  bool is_slow(Clock::time_point now);
  // True if the response redirects and the redirect is allowed; if not, `refusal` says why.
  bool redirect(std::string& refusal);
  TransferEnd ended(CURLcode code);
  TransferEnd end(TransferEnd::Kind kind, std::string detail);

  bool is_end_announced() const;

  // Called by libcurl; returning less than was passed in ends the transfer. Exceptions must not
  // pass through a C library.
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) noexcept
      try {
    auto* self = static_cast<Transfer*>(user);
    return self->take_header({data, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;
  }
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) noexcept
      try {
    auto* self = static_cast<Transfer*>(user);
    std::string& body = self->response.body;
    self->is_too_big = body.size() + size * count > self->limits.max_body;
    if (self->is_too_big) return 0;
    body.append(data, size * count);
    return size * count;
  } catch (...) {
    return 0;
  }
};

// False if the response ends when the connection does: then libcurl cannot tell an end from a cut.
// HTTP/2 and later frame every response; RFC 9112, 6.3 for the rest.
bool Transfers::Transfer::is_end_announced() const {
  long version = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_HTTP_VERSION, &version);
  if (version >= CURL_HTTP_VERSION_2_0) return true;
  if (response.status == 204 || response.status == 304 || request.method == "HEAD") return true;
  return !response.header("Content-Length").empty() ||
         lower_case(response.header("Transfer-Encoding")).ends_with("chunked");
}

void Transfers::Transfer::add_header(const std::string& text) {
  curl_slist* longer = curl_slist_append(headers.get(), text.c_str());
  if (longer == nullptr)
    throw RunError("libcurl is out of memory; free some memory, or raise its limit");
  static_cast<void>(headers.release());  // now owned by the longer list
  headers.reset(longer);
}

void Transfers::Transfer::set_up() {
  easy.reset(curl_easy_init());
  if (!easy) throw RunError("libcurl cannot be used; install it again");
  CURL* c = easy.get();
  curl_easy_setopt(c, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // No Brotli, which libcurl could decode as well: compressing on the fly costs the archive too
  // much.
  curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(c, CURLOPT_USERAGENT, limits.user_agent.c_str());
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  // A cancelled request does not wait for its name lookup.
  curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, in_ms(std::min(kConnectTimeout, limits.timeout)));
  const auto used = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, in_ms(std::max(milliseconds(1), limits.timeout - used)));
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(c, CURLOPT_PRIVATE, this);
  headers.reset();
  for (const std::string& header : request.headers) add_header(header);
  if (request.method == "POST") {
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    if (!request.content_type.empty()) add_header("Content-Type: " + request.content_type);
    add_header("Expect:");  // the body is sent at once
  } else if (request.method != "GET") {
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
}

bool Transfers::Transfer::take_header(std::string_view line) {
  header_bytes += line.size();
  is_too_big = header_bytes > kMostHeaderBytes;
  if (is_too_big) return false;
  if (line.starts_with("HTTP/")) {  // a 100, or a proxy's response to CONNECT, may come first
    response.headers.clear();
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  response.headers.emplace_back(line.substr(0, colon), value);
  if (lower_case(line.substr(0, colon)) != "content-length") return true;
  std::uint64_t announced = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), announced);
  // libcurl ignores a number that is too large, and would take a cut answer for a whole one.
  is_too_big = announced > limits.max_body || read.ec == std::errc::result_out_of_range;
  return !is_too_big;
}

bool Transfers::Transfer::is_slow(Clock::time_point now) {
  const milliseconds window = std::min(kSlowFor, limits.timeout / 4);
  const std::size_t size = response.body.size();
  if (size == 0) return false;  // the server may compute without sending, up to the timeout
  if (mark == Clock::time_point{} ||
      size - marked >= kSlowBytesPerSecond * static_cast<std::size_t>(window.count()) / 1000) {
    mark = now;
    marked = size;
  }
  return now - mark > window;
}

bool Transfers::Transfer::redirect(std::string& refusal) {
  long status = 0;
  char* target = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy.get(), CURLINFO_REDIRECT_URL, &target);
  if (!is_redirect(status) || target == nullptr) return false;
  // The job is deleted, and the redirect points to the list of all remaining jobs.
  if (status == 303 && request.method == "DELETE") return false;
  const std::string to = target;
  const auto from_url = parse_url(request.url);
  const auto to_url = parse_url(to);
  if (!from_url || !to_url || !may_redirect(*from_url, *to_url)) {
    refusal = fmt::format("{} redirects to {}; only redirects within a host are followed",
                          public_url(request.url), public_url(to));
    return false;
  }
  if (++redirects > kMostRedirects) {
    refusal = fmt::format("more than {} redirects, the last to {}", kMostRedirects, public_url(to));
    return false;
  }
  const bool keeps_method = status == 307 || status == 308 || request.method == "GET" ||
                            (status != 303 && request.method != "POST");
  if (!keeps_method) {
    request.method = "GET";
    request.body.clear();
  }
  request.url = to;
  response = {};
  header_bytes = 0;
  return true;
}

TransferEnd Transfers::Transfer::end(TransferEnd::Kind kind, std::string detail) {
  curl_off_t bytes = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_SIZE_DOWNLOAD_T, &bytes);
  TransferEnd out{kind, {}, std::move(detail), static_cast<std::uint64_t>(bytes)};
  if (kind != TransferEnd::Kind::Response) return out;
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  response.url = public_url(request.url);
  response.is_end_known = is_end_announced();
  std::erase_if(response.headers, [](const auto& header) { return !is_kept_header(header.first); });
  out.response = std::move(response);
  return out;
}

TransferEnd Transfers::Transfer::ended(CURLcode code) {
  using Kind = TransferEnd::Kind;
  const std::string what = error[0] != '\0' ? error.data() : curl_easy_strerror(code);
  if (is_too_big) {
    if (header_bytes > kMostHeaderBytes) {
      return end(Kind::TooBig, fmt::format("the answer's headers are larger than {} MB, so it was "
                                           "refused",
                                           kMostHeaderBytes >> 20));
    }
    return end(Kind::TooBig, fmt::format("the answer is larger than {} MB, and was refused",
                                         limits.max_body >> 20));
  }
  switch (code) {
    case CURLE_OK:
      return end(Kind::Response, {});
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return end(Kind::Unreachable, what);
    case CURLE_OPERATION_TIMEDOUT:
      return end(Kind::TimedOut, what);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return end(Kind::BadCertificate, what);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return end(Kind::Unusable, what);
    default:
      return end(Kind::Broken, what);
  }
}

Transfers::Transfers() {
  note_proxy_secrets();
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = {ready == CURLE_OK ? curl_multi_init() : nullptr,
            [](void* multi) { curl_multi_cleanup(multi); }};
  if (!multi_) throw RunError("libcurl cannot be used; install it again");
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kConnectionsKept);
}

Transfers::~Transfers() {
  for (auto& [id, transfer] : transfers_) {
    curl_multi_remove_handle(multi_.get(), transfer->easy.get());
  }
}

void Transfers::start(std::uint64_t id, const Request& request, const TransferLimits& limits) {
  auto transfer = std::make_unique<Transfer>();
  transfer->id = id;
  transfer->request = request;
  transfer->limits = limits;
  begin(*(transfers_[id] = std::move(transfer)));
}

// A transfer that libcurl rejects is reported as broken: it would never end.
void Transfers::begin(Transfer& transfer) {
  std::string refusal;
  try {
    transfer.set_up();
    const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer.easy.get());
    if (code == CURLM_OK) return;
    refusal = fmt::format("libcurl does not take the request: {}", curl_multi_strerror(code));
  } catch (const Error& e) {
    refusal = e.what();
  }
  TransferEnd end{TransferEnd::Kind::Broken, {}, std::move(refusal), 0};
  finished_.push_back({transfer.id, std::move(end)});
  transfers_.erase(finished_.back().id);
}

void Transfers::cancel(std::uint64_t id) {
  const auto it = transfers_.find(id);
  if (it == transfers_.end()) return;
  curl_multi_remove_handle(multi_.get(), it->second->easy.get());
  transfers_.erase(it);
}

void Transfers::finish(Transfer& transfer, int code) {
  using Kind = TransferEnd::Kind;
  CURL* easy = transfer.easy.get();
  curl_multi_remove_handle(multi_.get(), easy);
  std::string refusal;
  if (code == CURLE_OK && transfer.redirect(refusal)) return begin(transfer);
  TransferEnd end = refusal.empty() ? transfer.ended(static_cast<CURLcode>(code))
                                    : transfer.end(Kind::Redirected, refusal);
  finished_.push_back({transfer.id, std::move(end)});
  transfers_.erase(finished_.back().id);
}

void Transfers::give_up_slow() {
  const auto now = Clock::now();
  for (auto it = transfers_.begin(); it != transfers_.end();) {
    Transfer& transfer = *(it++)->second;
    if (!transfer.is_slow(now)) continue;
    curl_multi_remove_handle(multi_.get(), transfer.easy.get());
    finished_.push_back(
        {transfer.id, transfer.end(TransferEnd::Kind::TimedOut,
                                   fmt::format("the answer came too slowly, {} bytes so far",
                                               transfer.response.body.size()))});
    transfers_.erase(transfer.id);
  }
}

std::vector<Transfers::Finished> Transfers::poll(milliseconds timeout) {
  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  int left = 0;
  const auto collect = [&] {
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      finish(*reinterpret_cast<Transfer*>(owner), message->data.result);
    }
  };
  collect();
  if (finished_.empty()) {
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(timeout.count()), nullptr);
    curl_multi_perform(multi_.get(), &running);
    collect();
  }
  give_up_slow();
  return std::exchange(finished_, {});
}

void Transfers::wake() {
  curl_multi_wakeup(multi_.get());
}

}  // namespace qsohost::inline v1
