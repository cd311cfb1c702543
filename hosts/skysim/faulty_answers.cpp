#include "faulty_answers.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "table_text.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kRetryAfter = 30;  // seconds, in the real service's time, as below
constexpr double kDrip = 300;

// Closing the connection marks the end of the response: false makes the library close it.
void give_unannounced(httplib::Response& response, std::string body, std::string_view type) {
  response.set_content_provider(
      std::string(type), [body = std::move(body)](std::size_t offset, httplib::DataSink& sink) {
        return offset < body.size() && sink.write(body.data() + offset, body.size() - offset);
      });
}

}  // namespace

void reset_connection(const httplib::Request& request) {
  for (int fd = 3; fd < 4096; ++fd) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != request.remote_port) continue;
    const linger at_once{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    const int other = socket(AF_INET, SOCK_STREAM, 0);
    if (other < 0) return;
    dup2(other, fd);
    close(other);
    return;
  }
}

void cut_in_row(httplib::Response& response, std::string body, std::string_view type) {
  const std::size_t whole = body.size();
  body.resize(std::max<std::size_t>(1, body.size() * 3 / 5));
  while (body.size() > 1 && (body.back() == '\n' || body[body.size() - 1] == ',')) body.pop_back();
  const std::string content(type);
  if (whole % 2 == 0) {
    response.set_content_provider(whole, content,
                                  [body](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                    if (offset < body.size())
                                      return sink.write(body.data() + offset, body.size() - offset);
                                    return false;
                                  });
  } else {
    give_unannounced(response, std::move(body), type);
  }
}

void cut_at_line(httplib::Response& response, std::string body, std::string_view type,
                 double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(body.size()));
  body.resize(std::min(body.size(), body.find('\n', at) + 1));
  give_unannounced(response, std::move(body), type);
}

void drip(httplib::Response& response, std::string body, std::string_view type, double seconds) {
  constexpr std::size_t drops = 50;
  const std::chrono::duration<double> pause(seconds / drops);
  const std::size_t whole = body.size();
  const std::size_t drop = whole / drops + 1;
  response.set_content_provider(whole, std::string(type),
                                [body = std::move(body), pause, drop](
                                    std::size_t offset, std::size_t left, httplib::DataSink& sink) {
                                  std::this_thread::sleep_for(pause);
                                  return sink.write(body.data() + offset, std::min(drop, left));
                                });
}

void send_faulty(Fault fault, const httplib::Request& request, httplib::Response& response,
                 const std::string& body, const std::string& type, const FaultScale& scale) {
  const auto refuse = [&](int status, std::string_view message) {
    response.status = status;
    response.set_content(error_votable(message), "application/x-votable+xml");
  };
  switch (fault) {
    case Fault::BadRequest:
      return refuse(400, "the request was not understood");
    case Fault::TooMany: {
      const int seconds = std::max(1, static_cast<int>(kRetryAfter / scale.time_scale));
      response.set_header("Retry-After", fmt::format("{}", seconds));
      return refuse(429, "too many requests");
    }
    case Fault::ServerError:
      return refuse(500, "internal server error");
    case Fault::Unavailable:
      return refuse(503, "the service is not available");
    case Fault::QueryStatus:
      return refuse(200, "the query failed: too many connections to the database");
    case Fault::Reset:
      return reset_connection(request);
    case Fault::Cut:
      return cut_in_row(response, body, type);
    case Fault::CutAtLine:
      return cut_at_line(response, body, type, scale.part);
    case Fault::Drip:
      return drip(response, body, type, kDrip / scale.time_scale);
    case Fault::Garbage:
      return response.set_content(
          "<html><head><title>IRSA</title></head><body>\x01\x02\xff moved\n", "text/html");
    default:
      return;
  }
}

}  // namespace qsohost::skysim
