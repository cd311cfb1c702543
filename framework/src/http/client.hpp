// The host's HTTP client: one thread moves the bytes of the whole run, and the calling threads
// (lanes) hold the conversations. Trusted responses are stored before any result depends on them.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "http/conversation_runner.hpp"
#include "http/fetch_board.hpp"
#include "http/transfers.hpp"

namespace qsohost::inline v1 {

class HttpClient final : public Http, private RequestQueue {
 public:
  struct Settings {
    Archive::Log log;
    // At 1, conversations that only wait are ended; from 2 on, all are.
    const std::atomic<int>* interrupts = nullptr;
    ResponseStores stores{};
    // The run that is resumed has settled a batch, so every archive has given good responses.
    bool has_settled = false;
    // Where runs share their connections to archives; empty: nowhere.
    std::filesystem::path share_connections{};
  };
  explicit HttpClient(Settings settings);
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
            std::uint64_t ordinal, Counts& counts) override;

  std::string waiting() const;             // the archives that requests wait for; "" if none
  std::vector<std::string> notes() const;  // requests per archive, for the closing report
  std::vector<FetchProgress> fetching() const { return board_.read(); }

 private:
  using Time = Archive::Time;
  struct Judged {
    std::uint64_t id = 0;
    std::string doubt;
  };
  using Message = std::variant<PendingRequest, Judged, std::shared_ptr<ReplyChannel>>;
  struct Total {
    std::uint64_t requests = 0;
    std::uint64_t again = 0;
    std::uint64_t bytes = 0;
  };

  // For lanes.
  void ask(PendingRequest pending) override;
  void judge(std::uint64_t id, const std::string& doubt) override;
  void abandon(const std::shared_ptr<ReplyChannel>& channel) override;
  void send(Message message);

  // For the loop's thread.
  void loop();
  void turn();
  void take(PendingRequest& pending, Time now);
  void take(Judged& judged, Time now);
  void take(std::shared_ptr<ReplyChannel>& abandoned, Time now);
  void drop(const ReplyChannel& channel, Time now);
  void start_ready(Archive& archive, Time now);
  void finish(Transfers::Finished finished, Time now);
  void log_transfer(const PendingRequest& pending, const TransferEnd& end) const;
  void go_on(Archive& archive, PendingRequest pending, const Judgement& verdict, Time now);
  void drop_hopeless(Time now);
  void drain(Time now);
  void stop_all(ReplyChannel::End why) noexcept;
  void say_caught() const noexcept;
  void publish(Time now);
  Archive& archive_of(const PendingRequest& pending);

  Settings settings_;
  FetchBoard board_;
  Transfers transfers_;
  // Only for the loop's thread:
  std::map<std::string, Archive> archives_;
  std::map<std::string, Total> totals_;
  std::map<std::uint64_t, PendingRequest> in_flight_;
  std::map<std::uint64_t, PendingRequest> being_read_;  // answered; a lane reads them
  ReplyChannel::End stopped_ = ReplyChannel::End::No;   // why no more requests are sent
  std::optional<Time> draining_since_;
  std::map<std::string, Time> answered_;  // by archive: time of the last response
  bool has_left_ = false;                 // whether conversations were left to a later run

  mutable std::mutex mutex_;  // guards the members below
  std::vector<Message> messages_;
  std::string waiting_;
  std::vector<std::string> notes_;

  std::atomic<std::uint64_t> next_id_{1};
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace qsohost::inline v1
