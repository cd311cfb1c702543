#include "postgres/session.hpp"

#include <fmt/format.h>

#include <pqxx/connection_base>
#include <pqxx/connectionpolicy>
#include <pqxx/except>
#include <pqxx/result>
#include <pqxx/transaction>

#include "postgres/connecting.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

// Gives libpqxx our connection, and never another one: a connection that libpqxx makes itself after
// a loss has neither our snapshot nor our temporary tables, and cannot be stopped.
class Adoption final : public pqxx::connectionpolicy {
 public:
  explicit Adoption(PqConnection made) : connectionpolicy(""), made_(std::move(made)) {}

  handle do_startconnect(handle current) override {
    if (current == nullptr) current = made_.release();
    if (current == nullptr) throw pqxx::broken_connection("the connection to PostgreSQL is lost");
    handle_ = current;
    if (PQstatus(current) == CONNECTION_OK) return current;
    words_ = PQerrorMessage(current);
    throw pqxx::broken_connection(words_);
  }
  handle do_completeconnect(handle current) override { return current; }
  // Finished already when it is dropped: else libpqxx would reconnect with PQreset.
  handle do_dropconnect(handle current) noexcept override {
    PQfinish(current);
    return handle_ = nullptr;
  }
  handle do_disconnect(handle current) noexcept override { return do_dropconnect(current); }

  handle current() const { return handle_; }
  // The error message of the lost connection.
  std::string words() const { return handle_ == nullptr ? words_ : PQerrorMessage(handle_); }

 private:
  PqConnection made_;
  std::string words_;
  handle handle_ = nullptr;
};

struct HasAdoption {
  Adoption adoption;
};

}  // namespace

class AdoptedConnection final : private HasAdoption, public pqxx::connection_base {
 public:
  explicit AdoptedConnection(PqConnection made)
      : HasAdoption{Adoption(std::move(made))}, connection_base(adoption) {
    init();
  }
  ~AdoptedConnection() { close(); }
  AdoptedConnection(const AdoptedConnection&) = delete;
  AdoptedConnection& operator=(const AdoptedConnection&) = delete;
  PGconn* handle() const { return adoption.current(); }
  std::string words() const { return adoption.words(); }
};

namespace {

// Translates libpqxx's errors to ours. Those of the server contain its message, whatever class
// libpqxx chooses, but for a lost connection libpqxx has its own text. All others are mistakes in
// how we call it.
template <class F>
std::invoke_result_t<F> translated(const AdoptedConnection* connection, const F& work) {
  try {
    return work();
  } catch (const pqxx::broken_connection& e) {
    const std::string words = connection == nullptr ? "" : connection->words();
    throw_server_error(words.empty() ? e.what() : words);
  } catch (const pqxx::failure& e) {
    throw_server_error(e.what());
  } catch (const pqxx::pqxx_exception& e) {
    throw RunError(fmt::format("PostgreSQL: {}", e.base().what()));
  }
}

}  // namespace

PgSession::PgSession(const std::string& dsn, std::function<bool()> stop) {
  PqConnection made = connect_to(dsn, stop);
  canceller_ = std::make_unique<Canceller>(made.get(), std::move(stop));
  connection_ =
      translated(nullptr, [&] { return std::make_unique<AdoptedConnection>(std::move(made)); });
}

PgSession::~PgSession() = default;

PGconn* PgSession::handle() const {
  PGconn* const handle = connection_->handle();
  if (handle == nullptr) throw TryAgain("the connection to PostgreSQL is lost");
  return handle;
}

PgConnection::PgConnection(const std::string& dsn, std::function<bool()> stop) {
  check_dsn(dsn);
  session_ = std::make_shared<PgSession>(dsn, std::move(stop));
}

struct PgTransaction::Open {
  std::unique_ptr<pqxx::transaction_base> transaction;
};

struct PgResult {
  pqxx::result rows;
};

PgTransaction::PgTransaction(PgConnection& connection, PgAccess access)
    : session_(connection.session_), open_(std::make_unique<Open>()) {
  using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;
  translated(&session_->connection(), [&] {
    session_->canceller().run([this, access] {
      auto& c = session_->connection();
      if (access == PgAccess::Snapshot) {
        open_->transaction = std::make_unique<Snapshot>(c);
      } else {
        open_->transaction = std::make_unique<pqxx::work>(c);
      }
    });
  });
}

PgTransaction::PgTransaction(PgTransaction&&) noexcept = default;

PgTransaction::~PgTransaction() {
  if (open_ == nullptr || open_->transaction == nullptr) return;
  // A COPY that outlives its transaction costs the connection, instead of hours.
  if (session_->is_copying) session_->canceller().cut();
  session_->canceller().finish([this] { open_->transaction.reset(); });
}

std::shared_ptr<PgSession> PgTransaction::session() const {
  if (open_->transaction == nullptr) {
    throw RunError("PostgreSQL: a transaction was used after its commit; begin another one");
  }
  if (session_->is_copying) {
    throw RunError(
        "PostgreSQL: a COPY was begun in this transaction and is not finished; read it to its end "
        "first");
  }
  return session_;
}

std::shared_ptr<const PgResult> PgTransaction::ask(const std::string& sql,
                                                   std::span<const std::string> parameters) {
  return translated(&session_->connection(), [&] {
    return session()->canceller().run([&] {
      if (parameters.empty()) {
        return std::make_shared<const PgResult>(open_->transaction->exec(sql));
      }
      return std::make_shared<const PgResult>(open_->transaction->exec_params(
          sql, pqxx::prepare::make_dynamic_params(parameters.begin(), parameters.end())));
    });
  });
}

// A failed COPY has aborted the transaction without libpqxx; the server would accept a COMMIT, and
// roll back.
void PgTransaction::commit() {
  if (PQtransactionStatus(session()->handle()) == PQTRANS_INERROR) {
    throw RunError(
        "PostgreSQL: a transaction in which a statement failed cannot be committed; begin another "
        "one");
  }
  translated(&session_->connection(), [&] {
    session_->canceller().run([&] {
      open_->transaction->commit();
      open_->transaction.reset();
    });
  });
}

std::size_t pg_rows(const PgResult& result) {
  return result.rows.size();
}

void pg_check_columns(const PgResult& result, std::size_t columns) {
  if (result.rows.columns() == columns) return;
  throw RunError(
      fmt::format("PostgreSQL: an answer has {} columns instead of {}; its query must give as many",
                  result.rows.columns(), columns));
}

namespace {

template <class T>
struct Cell {
  static T of(const pqxx::field& field) { return field.as<T>(); }
};

template <class T>
struct Cell<std::optional<T>> {
  static std::optional<T> of(const pqxx::field& field) {
    return field.is_null() ? std::nullopt : std::optional<T>(field.as<T>());
  }
};

}  // namespace

template <class T>
T pg_cell(const PgResult& result, std::size_t row, std::size_t column) {
  return translated(nullptr, [&] {
    return Cell<T>::of(result.rows[static_cast<pqxx::result::size_type>(row)]
                                  [static_cast<pqxx::row::size_type>(column)]);
  });
}

template bool pg_cell(const PgResult&, std::size_t, std::size_t);
template int pg_cell(const PgResult&, std::size_t, std::size_t);
template std::int64_t pg_cell(const PgResult&, std::size_t, std::size_t);
template double pg_cell(const PgResult&, std::size_t, std::size_t);
template std::string pg_cell(const PgResult&, std::size_t, std::size_t);
template std::optional<bool> pg_cell(const PgResult&, std::size_t, std::size_t);
template std::optional<int> pg_cell(const PgResult&, std::size_t, std::size_t);
template std::optional<std::int64_t> pg_cell(const PgResult&, std::size_t, std::size_t);
template std::optional<double> pg_cell(const PgResult&, std::size_t, std::size_t);
template std::optional<std::string> pg_cell(const PgResult&, std::size_t, std::size_t);

}  // namespace qsohost::inline v1
