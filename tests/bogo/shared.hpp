// What lasts from one connection of a run to the next, and what the parts of one connection tell each other.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tlsconnect/base/source.hpp>
#include <tlsconnect/client/key_log.hpp>
#include <tlsconnect/client/session.hpp>

#include "options.hpp"

namespace bogo {

/// Stands still at the time of the program's start, until it is put forward: the runner knows the age of a ticket to the
/// millisecond.
class ShimClock final : public tlsconnect::Clock {
public:
  ShimClock();
  [[nodiscard]] std::int64_t now() const noexcept override { return now_; }
  void advance(unsigned seconds) { now_ += std::int64_t{1'000} * seconds; }

private:
  std::int64_t now_;
};

/// Hands the newest session of one connection on to the next, by way of its serialised form.
class ShimSessions final : public tlsconnect::SessionStore {
public:
  void put(std::string_view key, tlsconnect::Session session) noexcept override;
  [[nodiscard]] std::optional<tlsconnect::Session> take(std::string_view key) noexcept override;
  void erase(std::string_view key) noexcept override;

  /// A connection begins: what came during the last one is now there to be offered. False: nothing came.
  [[nodiscard]] bool begin_connection();
  /// Whether a session came in this connection, and whether it permits early data. One that was offered and came back as
  /// it was is no new one: TLS 1.2 goes on with it.
  [[nodiscard]] bool received() const { return !received_.serialised.empty() && received_.serialised != offered_; }
  [[nodiscard]] bool received_for_early_data() const { return received_.early_data; }
  /// Whether the session to be offered permitted early data.
  [[nodiscard]] bool offered_for_early_data() const { return offered_early_data_; }
  /// A session could not be serialised or read again.
  [[nodiscard]] const Complaint& trouble() const { return trouble_; }

private:
  struct Entry {
    std::string key;
    tlsconnect::ByteVector serialised;
    bool early_data = false;
  };
  Entry received_;
  Entry to_offer_;
  tlsconnect::ByteVector offered_;
  bool offered_early_data_ = false;
  Complaint trouble_;
};

/// Keeps the traffic secrets of a connection.
class ShimKeyLog final : public tlsconnect::KeyLog {
public:
  void write(std::string_view line) noexcept override;
  /// The secret on the line with this label; empty when there is none.
  [[nodiscard]] Octets secret(std::string_view label) const;

private:
  std::string text_;
};

struct Shared {
  std::shared_ptr<ShimClock> clock = std::make_shared<ShimClock>();
  std::shared_ptr<ShimSessions> sessions = std::make_shared<ShimSessions>();
};

/// What is noted down during one connection.
struct Notes {
  std::shared_ptr<ShimKeyLog> key_log = std::make_shared<ShimKeyLog>();
  /// The verifier was asked.
  bool verified = false;
  /// Which credential signed: an index of the flags' credentials, -1 for none of them.
  int selected_credential = -1;
  /// What the runner's CertificateRequest listed: schemes, and the authorities' names in hexadecimal, behind commas.
  std::vector<std::uint16_t> requested_schemes;
  std::string requested_authorities;
  /// TLS 1.2: its certificate_types.
  Octets requested_types;
  /// Which credential each of the configuration's pre-shared keys comes from.
  std::vector<int> psk_credentials;
};

} // namespace bogo
