#include "shared.hpp"

#include <charconv>
#include <chrono>
#include <utility>

namespace bogo {

using tlsconnect::ByteVector;
using tlsconnect::Result;
using tlsconnect::Session;

ShimClock::ShimClock()
    : now_(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
               .count()) {}

void ShimSessions::put(std::string_view key, Session session) noexcept {
  Result<ByteVector> serialised = session.serialise();
  if (!serialised)
    trouble_ = serialised.error().message();
  else
    received_ = Entry{std::string(key), std::move(*serialised), session.max_early_data > 0};
}

std::optional<Session> ShimSessions::take(std::string_view key) noexcept {
  const Entry entry = std::exchange(to_offer_, Entry());
  // A session under another key is one that must not be used here.
  if (entry.key != key || entry.serialised.empty())
    return std::nullopt;
  Result<Session> session = Session::parse(entry.serialised);
  if (!session) {
    trouble_ = session.error().message();
    return std::nullopt;
  }
  return std::move(*session);
}

void ShimSessions::erase(std::string_view key) noexcept {
  for (Entry* entry : {&received_, &to_offer_})
    if (entry->key == key)
      *entry = Entry();
}

bool ShimSessions::begin_connection() {
  to_offer_ = std::exchange(received_, Entry());
  offered_early_data_ = to_offer_.early_data;
  offered_ = to_offer_.serialised;
  return !to_offer_.serialised.empty();
}

void ShimKeyLog::write(std::string_view line) noexcept { text_.append(line).append("\n"); }

Octets ShimKeyLog::secret(std::string_view label) const {
  const std::size_t line = text_.find(std::string(label) + " ");
  if (line == std::string::npos)
    return {};
  // Behind the label stand the client's random and the secret.
  const std::size_t begin = text_.find(' ', line + label.size() + 1) + 1;
  const std::string_view digits = std::string_view(text_).substr(begin, text_.find('\n', begin) - begin);
  Octets secret;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    (void)std::from_chars(digits.data() + i, digits.data() + i + 2, secret.emplace_back(), 16);
  return secret;
}

} // namespace bogo
