// The error catalogue and what is made from it; halts.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tlsconnect/base/error.hpp>
#include <tlsconnect/base/halt.hpp>

using namespace tlsconnect;

namespace {

constexpr auto last_code = static_cast<unsigned>(ErrorCode::signing_failed);

std::vector<ErrorCode> all_codes() {
  std::vector<ErrorCode> codes;
  for (unsigned i = 0; i <= last_code; ++i)
    codes.push_back(static_cast<ErrorCode>(i));
  return codes;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

} // namespace

TEST_CASE("every code is described, by its own row", "[error]") {
  std::set<std::string_view> names;
  std::set<std::string_view> texts;
  for (const ErrorCode code : all_codes()) {
    const ErrorDescription& row = describe(code);
    INFO(row.name);
    CHECK(row.code == code);
    CHECK(names.insert(row.name).second);
    CHECK(texts.insert(row.text).second);
    CHECK(!row.text.empty());
    CHECK(row.text.back() != '.');
    CHECK(row.alert == alert_for(code));
    CHECK((row.section.empty() || row.section.starts_with("RFC ")));
    CHECK(name_of(row.group) != "unknown");
    CHECK(std::all_of(row.name.begin(), row.name.end(),
                      [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }));
  }
  // Even for a number that is no code there is an answer.
  CHECK(!describe(static_cast<ErrorCode>(255)).text.empty());
}

TEST_CASE("what the peer can cause is answered with an alert; what it cannot learn of is not", "[error]") {
  for (const ErrorCode code : all_codes()) {
    const ErrorDescription& row = describe(code);
    INFO(row.name);
    switch (row.group) {
    case ErrorGroup::decode:
    case ErrorGroup::misbehaved:
    case ErrorGroup::incompatible:
    case ErrorGroup::certificate:
      CHECK(row.alert.has_value());
      CHECK(!row.section.empty());
      break;
    case ErrorGroup::internal:
      CHECK(row.alert == AlertDescription::internal_error);
      break;
    case ErrorGroup::alert: // RFC 9846, 6.2: an alert is not answered
    case ErrorGroup::transport:
    case ErrorGroup::misuse:
      CHECK(!row.alert.has_value());
      break;
    }
    // No error is told as a mere warning.
    CHECK(row.alert != AlertDescription::close_notify);
    CHECK(row.alert != AlertDescription::user_canceled);
  }
}

TEST_CASE("the alerts that RFC 9846 names", "[error]") {
  using enum AlertDescription;
  using C = ErrorCode;
  // The standard's section, and what it asks for there.
  const std::vector<std::pair<ErrorCode, AlertDescription>> rows = {
      {C::message_truncated, decode_error},                   // 6.2
      {C::message_trailing_bytes, decode_error},              // 6.2
      {C::field_out_of_range, decode_error},                  // 6.2
      {C::certificate_list_empty, decode_error},              // 4.4.2.4
      {C::alert_malformed, decode_error},                     // 6.2
      {C::alert_level_unknown, illegal_parameter},            // 6.2
      {C::record_overflow, record_overflow},                  // 5.1, 5.2
      {C::bad_record_mac, bad_record_mac},                    // 5.2
      {C::record_type_unexpected, unexpected_message},        // 5
      {C::record_empty, unexpected_message},                  // 5.4
      {C::record_without_type, unexpected_message},           // 5.4
      {C::key_change_not_aligned, unexpected_message},        // 5.1
      {C::handshake_interleaved, unexpected_message},         // 5.1
      {C::change_cipher_spec_unexpected, unexpected_message}, // 5
      {C::unexpected_message, unexpected_message},            // 4
      {C::extension_duplicate, decode_error},                 // 4.2
      {C::extension_misplaced, illegal_parameter},            // 4.2
      {C::extension_unsolicited, unsupported_extension},      // 4.2
      {C::extension_missing, missing_extension},              // 9.2
      {C::legacy_version_wrong, protocol_version},            // 4.1.3
      {C::session_id_not_echoed, illegal_parameter},          // 4.1.3
      {C::compression_not_null, illegal_parameter},           // 4.1.3
      {C::cipher_suite_not_offered, illegal_parameter},       // 4.1.3
      {C::cipher_suite_changed, illegal_parameter},           // 4.1.4
      {C::version_not_offered, illegal_parameter},            // 4.2.1
      {C::version_changed, illegal_parameter},                // 4.1.4
      {C::downgrade_detected, illegal_parameter},             // 4.1.3
      {C::second_retry_request, unexpected_message},          // 4.1.4
      {C::retry_without_change, illegal_parameter},           // 4.1.4
      {C::group_not_offered, illegal_parameter},              // 4.2.8
      {C::group_already_shared, illegal_parameter},           // 4.2.8
      {C::group_not_the_retried, illegal_parameter},          // 4.2.8
      {C::key_share_invalid, illegal_parameter},              // 4.2.8.2
      {C::signature_scheme_not_offered, illegal_parameter},   // 4.4.3
      {C::signature_invalid, decrypt_error},                  // 4.4.3
      {C::finished_invalid, decrypt_error},                   // 4.4.4
      {C::key_update_invalid, illegal_parameter},             // 4.6.3
      {C::version_unsupported, protocol_version},             // D.1
      {C::early_data_downgraded, protocol_version},           // D.3
      {C::certificate_expired, certificate_expired},
      {C::certificate_revoked, certificate_revoked},
      {C::certificate_unknown_issuer, unknown_ca},
      {C::key_limit_reached, internal_error},
  };
  for (const auto& [code, alert] : rows) {
    INFO(describe(code).name);
    CHECK(alert_for(code) == alert);
  }
}

TEST_CASE("the alerts of TLS 1.2", "[error]") {
  using enum AlertDescription;
  using C = ErrorCode;
  const std::vector<std::pair<ErrorCode, AlertDescription>> rows = {
      {C::change_cipher_spec_invalid, illegal_parameter},           // RFC 5246 names none
      {C::record_version_wrong, protocol_version},                  // RFC 5246, E.1
      {C::session_not_offered, illegal_parameter},                  // RFC 5246, 7.4.1.3
      {C::session_suite_changed, illegal_parameter},                // RFC 5246, 7.4.1.3
      {C::session_extended_main_secret_changed, handshake_failure}, // RFC 7627, 5.3
      {C::extended_main_secret_missing, handshake_failure},         // RFC 7627, 5.2
      {C::renegotiation_info_wrong, handshake_failure},             // RFC 5746, 3.4
      {C::renegotiation_refused, no_renegotiation},                 // RFC 5246, 7.2.2
      {C::point_formats_wrong, illegal_parameter},                  // RFC 8422, 5.1.2
  };
  for (const auto& [code, alert] : rows) {
    INFO(describe(code).name);
    CHECK(alert_for(code) == alert);
  }
}

TEST_CASE("alerts have their registry's numbers and names", "[error]") {
  CHECK(static_cast<unsigned>(AlertDescription::unexpected_message) == 10);
  CHECK(static_cast<unsigned>(AlertDescription::bad_record_mac) == 20);
  CHECK(static_cast<unsigned>(AlertDescription::record_overflow) == 22);
  CHECK(static_cast<unsigned>(AlertDescription::handshake_failure) == 40);
  CHECK(static_cast<unsigned>(AlertDescription::illegal_parameter) == 47);
  CHECK(static_cast<unsigned>(AlertDescription::decode_error) == 50);
  CHECK(static_cast<unsigned>(AlertDescription::decrypt_error) == 51);
  CHECK(static_cast<unsigned>(AlertDescription::protocol_version) == 70);
  CHECK(static_cast<unsigned>(AlertDescription::missing_extension) == 109);
  CHECK(static_cast<unsigned>(AlertDescription::unsupported_extension) == 110);
  std::set<std::string_view> names;
  unsigned named = 0;
  for (unsigned value = 0; value < 256; ++value) {
    const std::string_view name = name_of(static_cast<AlertDescription>(value));
    CHECK(!name.empty());
    if (name != "unknown alert") {
      ++named;
      CHECK(names.insert(name).second);
    }
  }
  CHECK(static_cast<unsigned>(AlertDescription::no_renegotiation) == 100);
  CHECK(named == 30);
}

TEST_CASE("an error says where it happened, what was found, and what goes to the peer", "[error]") {
  const Error error(ErrorCode::alpn_not_offered, "EncryptedExtensions", "h3");
  CHECK(error.code() == ErrorCode::alpn_not_offered);
  CHECK(error.group() == ErrorGroup::misbehaved);
  CHECK(error.where() == "EncryptedExtensions");
  CHECK(error.detail() == "h3");
  CHECK(error.alert_sent() == AlertDescription::illegal_parameter);
  CHECK(!error.alert_received());
  CHECK(error.os_error() == 0);
  const std::string message = error.message();
  for (const std::string_view part :
       {std::string_view("EncryptedExtensions"), describe(error.code()).text, std::string_view("h3"),
        std::string_view("illegal_parameter"), describe(error.code()).section})
    CHECK(contains(message, part));
  CHECK(Error(ErrorCode::alpn_not_offered).detail().empty());
  // A copy is as good.
  const Error copy = error;
  CHECK(copy.message() == message);
}

TEST_CASE("where is filled in once", "[error]") {
  CHECK(Error(ErrorCode::crypto_failed).at("first").where() == "first");
  CHECK(Error(ErrorCode::crypto_failed, "first").at("second").where() == "first");
}

TEST_CASE("errors from alerts and from transports", "[error]") {
  const Error alert = Error::from_alert(AlertDescription::handshake_failure, "handshake");
  CHECK(alert.code() == ErrorCode::alert_received);
  CHECK(alert.alert_received() == AlertDescription::handshake_failure);
  CHECK(!alert.alert_sent());
  CHECK(contains(alert.message(), "handshake_failure"));
  CHECK(contains(alert.message(), "40"));
  CHECK(contains(Error::from_alert(static_cast<AlertDescription>(200)).message(), "200"));
  const Error transport = Error::from_transport(ErrorCode::connect_refused, 111, "connect", "192.0.2.1");
  CHECK(transport.os_error() == 111);
  CHECK(transport.group() == ErrorGroup::transport);
  CHECK(contains(transport.message(), "111"));
  CHECK(contains(transport.message(), "192.0.2.1"));
}

TEST_CASE("a failed Result carries the error", "[error]") {
  const Result<int> result = fail(ErrorCode::timed_out, "read", "2 s");
  REQUIRE(!result);
  CHECK(result.error().code() == ErrorCode::timed_out);
  CHECK(result.error().where() == "read");
  CHECK(result.error().detail() == "2 s");
}

TEST_CASE("halts are one of four kinds", "[halt]") {
  const Halt waiting = Halt::would_block(Interest::read | Interest::write);
  CHECK((waiting.is_would_block() && !waiting.is_closed() && !waiting.is_truncated() && !waiting.is_failed()));
  CHECK(waiting.interest() == Interest::read_write);
  CHECK(waiting.error() == nullptr);
  CHECK(contains(waiting.message(), "read"));
  CHECK(contains(waiting.message(), "written"));
  const Halt closed = Halt::closed();
  CHECK((closed.is_closed() && !closed.is_would_block() && !closed.is_truncated() && !closed.is_failed()));
  CHECK(closed.interest() == Interest::none);
  const Halt truncated = Halt::truncated();
  CHECK((truncated.is_truncated() && !truncated.is_closed() && !truncated.is_failed()));
  const Halt failed = Halt::failed(Error(ErrorCode::timed_out, "read"));
  CHECK((failed.is_failed() && failed.error() != nullptr));
  CHECK(failed.error()->code() == ErrorCode::timed_out);
  CHECK(failed.message() == failed.error()->message());
  CHECK(closed.message() != truncated.message());
}

TEST_CASE("interests are sets", "[halt]") {
  Interest set = Interest::none;
  set |= Interest::read;
  CHECK(includes(set, Interest::read));
  CHECK(!includes(set, Interest::write));
  CHECK(!includes(set, Interest::read_write));
  set |= Interest::write;
  CHECK(includes(set, Interest::read_write));
  CHECK((set & Interest::verdict) == Interest::none);
}
